using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>The other end of benchmarks of the network, on loopback.</summary>
internal sealed class TestPeer : IAsyncDisposable
{
    private readonly PeerSecrets _secrets = new(TimeProvider.System);
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public TestPeer()
    {
        _listener.Start();
        byte[] secret = RandomNumberGenerator.GetBytes(PeerSecrets.Length);
        _secrets.Add(secret, TimeSpan.FromMinutes(5));
        Peer = new BenchmarkPeer("the other end", "127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port, secret);
        _serving = ServeAsync();
    }

    public BenchmarkPeer Peer { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
            {
                served.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient owned = client;
        try
        {
            NetworkStream stream = client.GetStream();
            for (int last = 0; last != 0x0d0a0d0a;)
            {
                byte[] one = new byte[1];
                await stream.ReadExactlyAsync(one, _stop.Token);
                last = (last << 8) | one[0];
            }
            await stream.WriteAsync("HTTP/1.1 101 Switching Protocols\r\n\r\n"u8.ToArray(), _stop.Token);
            await PeerService.ServeAsync(stream, _secrets, TimeProvider.System, null, _stop.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // It has gone, or the test is over.
        }
    }
}
