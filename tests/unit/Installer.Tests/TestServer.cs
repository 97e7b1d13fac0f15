using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bootstrap.Installer.Tests;

/// <summary>A web server of a few lines that serves files from memory and can spoil them.</summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public TestServer(Dictionary<string, byte[]> files)
    {
        Files = files;
        _listener.Start();
        _loop = AcceptAsync();
    }

    public Dictionary<string, byte[]> Files { get; }

    /// <summary>Bytes of a path that are sent before the connection is closed, where that is fewer than there are.</summary>
    public Dictionary<string, int> CutAfter { get; } = [];

    /// <summary>Paths that are answered with 410: the appliance's copy is damaged.</summary>
    public HashSet<string> Damaged { get; } = [];

    /// <summary>How many times each path was asked for.</summary>
    public Dictionary<string, int> Requests { get; } = [];

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        var conversations = new List<Task>();
        try
        {
            while (true)
            {
                conversations.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(conversations).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient owned = client;
        NetworkStream stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        string path = (await reader.ReadLineAsync(_stop.Token))!.Split(' ')[1];
        while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 })
        {
            // Headers say nothing of interest.
        }
        byte[]? body;
        int count;
        lock (Requests)
        {
            Requests[path] = Requests.GetValueOrDefault(path) + 1;
            body = Damaged.Contains(path) ? null : Files.GetValueOrDefault(path);
            count = CutAfter.Remove(path, out int cut) ? cut : body?.Length ?? 0;
        }
        string head = body is null
            ? $"HTTP/1.1 {(Damaged.Contains(path) ? "410 Gone" : "404 Not Found")}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            : $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token);
        await stream.WriteAsync((body ?? []).AsMemory(0, count), _stop.Token);
    }
}
