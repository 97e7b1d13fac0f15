using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Bootstrap.Protocol.Discovery.Local;

/// <summary>The Slave refused a request; the message is its own.</summary>
public sealed class LocalDiscoveryException(string message) : Exception(message);

/// <summary>
/// A program's connection to the Slave's discovery. Services that it published are withdrawn when it is disposed, or dies. One
/// request at a time; a <see cref="WatchAsync"/> takes the connection for itself.
/// </summary>
public sealed class LocalDiscovery : IDisposable
{
    private readonly Stream _stream;
    private readonly StreamReader _reader;
    private long _lastId;

    private LocalDiscovery(Stream stream)
    {
        _stream = stream;
        _reader = new StreamReader(stream, Encoding.UTF8);
    }

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">There is no Slave, or it is not listening there.</exception>
    public static async Task<LocalDiscovery> ConnectAsync(string path = LocalRequest.Socket, CancellationToken cancellation = default)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
            return new LocalDiscovery(new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Finds nodes.</summary>
    /// <param name="search">Its command is given by this method; what it leaves out is as for everybody.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task<IReadOnlyList<LocalNode>> MarcoAsync(LocalRequest? search = null, CancellationToken cancellation = default) =>
        (await AskAsync((search ?? new LocalRequest(0, "")) with { Command = "marco" }, cancellation).ConfigureAwait(false)).Nodes ?? [];

    /// <summary>Finds the nodes that offer a service.</summary>
    public async Task<IReadOnlyList<LocalNode>> RequestForAsync(
        string service, LocalRequest? search = null, CancellationToken cancellation = default) =>
        (await AskAsync((search ?? new LocalRequest(0, "")) with { Command = "request_for", Service = service }, cancellation)
        .ConfigureAwait(false)).Nodes ?? [];

    /// <summary>All services of a node.</summary>
    /// <param name="node">Id or host name.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task<IReadOnlyList<Service>> ServicesAsync(string node, CancellationToken cancellation = default) =>
        (await AskAsync(new LocalRequest(0, "services") { Nodes = [node] }, cancellation).ConfigureAwait(false)).Services ?? [];

    /// <summary>Offers a service, as long as this connection lasts.</summary>
    /// <returns>Its name: <c>user:service</c> for everybody but root.</returns>
    public async Task<string> PublishAsync(
        string service, IReadOnlyDictionary<string, string>? parameters = null, IReadOnlyList<string>? meshes = null,
        CancellationToken cancellation = default) =>
        (await AskAsync(new LocalRequest(0, "publish") { Service = service, Params = parameters, Meshes = meshes }, cancellation)
        .ConfigureAwait(false)).Service!;

    /// <summary>Withdraws a service.</summary>
    public async Task<string> UnpublishAsync(string service, CancellationToken cancellation = default) =>
        (await AskAsync(new LocalRequest(0, "unpublish") { Service = service }, cancellation).ConfigureAwait(false)).Service!;

    /// <summary>What happens to nodes, until cancelled or until the Slave ends.</summary>
    public async IAsyncEnumerable<PresenceEvent> WatchAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await SendAsync(new LocalRequest(++_lastId, "watch"), cancellation).ConfigureAwait(false);
        while (await ReceiveAsync(cancellation).ConfigureAwait(false) is { } reply)
        {
            if (reply.Event is { } e)
            {
                yield return e;
            }
        }
    }

    public void Dispose() => _reader.Dispose();

    private async Task<LocalReply> AskAsync(LocalRequest request, CancellationToken cancellation)
    {
        await SendAsync(request with { Id = ++_lastId }, cancellation).ConfigureAwait(false);
        return await ReceiveAsync(cancellation).ConfigureAwait(false) ??
            throw new LocalDiscoveryException("the Slave ended the connection");
    }

    private async Task SendAsync(LocalRequest request, CancellationToken cancellation)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.LocalRequest), (byte)'\n'];
        await _stream.WriteAsync(line, cancellation).ConfigureAwait(false);
    }

    private async Task<LocalReply?> ReceiveAsync(CancellationToken cancellation)
    {
        if (await _reader.ReadLineAsync(cancellation).ConfigureAwait(false) is not { } line)
        {
            return null;
        }
        LocalReply reply = JsonSerializer.Deserialize(line, ProtocolJson.Default.LocalReply)!;
        return reply.Error is { } error ? throw new LocalDiscoveryException(error) : reply;
    }
}
