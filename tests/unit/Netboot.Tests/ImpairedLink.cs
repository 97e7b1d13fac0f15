using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Netboot.Tests;

/// <summary>
/// A bad network between TFTP clients and a server, on loopback: of the datagrams in each direction some are lost, some come twice, and
/// each
/// comes at its own time, so that some overtake others. The fifth is always lost, so that no transfer has a good day. As the server does,
/// it answers each client from a port of its own.
/// </summary>
internal sealed class ImpairedLink : IAsyncDisposable
{
    private const double Loss = 0.10, Duplication = 0.05;
    private const int AlwaysLost = 5;
    private const int MostDelayMilliseconds = 8;

    private readonly Socket _front = Bind();
    private readonly IPEndPoint _server;
    private readonly Random _random;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<IPEndPoint, Way> _ways = new();
    private readonly ConcurrentBag<Task> _tasks = [];
    private int _passed;

    public ImpairedLink(IPEndPoint server, int seed)
    {
        _server = server;
        _random = new Random(seed);
        _tasks.Add(AcceptAsync());
    }

    /// <summary>What clients take for the server's port.</summary>
    public int Port => ((IPEndPoint)_front.LocalEndPoint!).Port;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_tasks);
        _front.Dispose();
        foreach (Way way in _ways.Values)
        {
            way.ToClient.Dispose();
            way.ToServer.Dispose();
        }
        _stop.Dispose();
    }

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private Task AcceptAsync() => ReceiveAsync(_front, (packet, client) =>
    {
        Way way = _ways.GetOrAdd(client, _ =>
        {
            var made = new Way(Bind(), Bind(), _server);
            _tasks.Add(ReceiveAsync(made.ToClient, (data, _) => Pass(made.ToServer, data, made.Server)));
            _tasks.Add(ReceiveAsync(made.ToServer, (data, from) =>
            {
                made.Server = from; // the port that the server has chosen for this transfer
                Pass(made.ToClient, data, client);
            }));
            return made;
        });
        Pass(way.ToServer, packet, _server);
    });

    private async Task ReceiveAsync(Socket socket, Action<byte[], IPEndPoint> take)
    {
        byte[] buffer = new byte[65536];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                take(buffer[..received.ReceivedBytes], (IPEndPoint)received.RemoteEndPoint);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // One side has closed its port.
            }
        }
    }

    private void Pass(Socket socket, byte[] packet, IPEndPoint to)
    {
        lock (_random)
        {
            int copies = ++_passed == AlwaysLost || _random.NextDouble() < Loss ? 0 : _random.NextDouble() < Duplication ? 2 : 1;
            for (int i = 0; i < copies; i++)
            {
                _tasks.Add(SendLaterAsync(socket, packet, to, TimeSpan.FromMilliseconds(_random.Next(MostDelayMilliseconds))));
            }
        }
    }

    private async Task SendLaterAsync(Socket socket, byte[] packet, IPEndPoint to, TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, TimeProvider.System, _stop.Token);
            await socket.SendToAsync(packet, to, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The link is taken down.
        }
        catch (SocketException)
        {
            // One side has closed its port.
        }
    }

    /// <summary>One client's way to its transfer's port and back.</summary>
    private sealed class Way(Socket toClient, Socket toServer, IPEndPoint server)
    {
        public Socket ToClient => toClient;

        public Socket ToServer => toServer;

        public IPEndPoint Server { get; set; } = server;
    }
}
