using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Local;

namespace Bootstrap.Agent.Discovery;

/// <summary>One program's connection. What it published is withdrawn when it ends.</summary>
/// <param name="connection">Is closed by this.</param>
/// <param name="userId">Whose program it is (<see cref="UserOf"/>).</param>
/// <param name="context">What it works with.</param>
internal sealed class LocalSession(Socket connection, uint userId, LocalContext context)
{
    private const int SolSocket = 1, SoPeerCredentials = 17;

    private static readonly TimeSpan s_longestSearch = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_servicesTime = TimeSpan.FromSeconds(3);

    /// <summary>A node that somebody names is probably there: it gets more time than the search for whoever there is.</summary>
    private const int ServicesRetries = 12;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stream = new NetworkStream(connection, ownsSocket: true);
        PipeReader reader = PipeReader.Create(stream);
        try
        {
            while (await ReadLineAsync(reader, cancellation).ConfigureAwait(false) is { } line)
            {
                LocalRequest? request = Parse(line, out LocalReply? refusal);
                if (request is { Command: "watch" })
                {
                    await WatchAsync(request, stream, reader, cancellation).ConfigureAwait(false);
                    return;
                }
                LocalReply reply = request is null ? refusal! : await DoAsync(request, cancellation).ConfigureAwait(false);
                await WriteAsync(stream, reply, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && cancellation.IsCancellationRequested))
        {
            // The program is gone, or this one is asked to stop.
        }
        finally
        {
            context.Registry.Withdraw(this);
        }
    }

    private static LocalRequest? Parse(byte[] line, out LocalReply? refusal)
    {
        refusal = null;
        try
        {
            LocalRequest? request = JsonSerializer.Deserialize(line, ProtocolJson.Default.LocalRequest);
            refusal = request switch
            {
                null => new LocalReply(
                    0)
                { Error = "the line is no request: send one JSON object a line, such as {\"id\":1,\"command\":\"marco\"}" },
                { Version: > LocalRequest.CurrentVersion } => new LocalReply(
                request.Id)
                { Error = $"this Slave speaks version {LocalRequest.CurrentVersion} of this interface, not {request.Version}" },
                _ => null,
            };
            return refusal is null ? request : null;
        }
        catch (JsonException e)
        {
            refusal = new LocalReply(0) { Error = $"the line is no request: {e.Message}" };
            return null;
        }
    }

    private async Task<LocalReply> DoAsync(LocalRequest request, CancellationToken cancellation)
    {
        var reply = new LocalReply(request.Id);
        switch (request)
        {
            case { Command: "marco" or "request_for" or "services" } when FaultOf(request) is { } fault:
                return reply with { Error = fault };
            case { Command: "marco" }:
                return reply with { Nodes = await FindAsync(request, null, cancellation).ConfigureAwait(false) };
            case { Command: "request_for", Service: { } service }:
                return reply with { Nodes = await FindAsync(request, service, cancellation).ConfigureAwait(false) };
            case { Command: "services", Nodes: [var node] }:
                return await ServicesAsync(request, node, cancellation).ConfigureAwait(false) is { } services
                    ? reply with { Services = services }
                    : reply with { Error = $"no node of this mesh answers to the name '{node}'" };
            case { Command: "publish", Service: { } service }:
                return Publish(request, service);
            case { Command: "unpublish", Service: { } service }:
                string? name = ServiceNames.NameFor(service, userId);
                return name is not null && context.Registry.Unpublish(name, this)
                    ? reply with { Service = name }
                    : reply with { Error = $"this program has not published '{service}'" };
            case { Command: "request_for" or "publish" or "unpublish" }:
                return reply with { Error = $"'{request.Command}' needs \"service\"" };
            case { Command: "services" }:
                return reply with { Error = "'services' needs \"nodes\" with one node" };
            default:
                return reply with
                {
                    Error =
                    $"there is no command '{request.Command}': marco, request_for, services, publish, unpublish or watch"
                };
        }
    }

    /// <summary>In one sentence why there can be no such search; null: there can.</summary>
    private string? FaultOf(LocalRequest request)
    {
        // What is declared not to be null is checked by the reader, but not inside of lists.
        if (new[] { request.Nodes, request.Exclude, request.Meshes }.Any(names => names?.Any(name => name is null) == true))
        {
            return "a name of \"nodes\", \"exclude\" or \"meshes\" is null";
        }
        if (request.MaxNodes < 1)
        {
            return "\"maxNodes\" is 1 or more";
        }
        Search search = SearchOf(request, request.Service);
        return new Query(Query.NewNonce(), 0, search.Meshes, search.Filter).ToBytes().Length > DiscoveryMessage.MaximumBytes
            ? $"these nodes, parameters and meshes are more than a question of discovery holds ({DiscoveryMessage.MaximumBytes} " +
            $"bytes): ask for fewer, or for all and choose"
            : null;
    }

    private LocalReply Publish(LocalRequest request, string service)
    {
        var reply = new LocalReply(request.Id);
        if (ServiceNames.NameFor(service, userId) is not { } name)
        {
            return reply with { Error = $"'{service}' is no name for a service of yours: 1 to 30 letters, digits, '-' and '_'" };
        }
        if (request.Params?.Values.Any(value => value is null) == true || request.Meshes?.Except(context.Meshes).Any() == true)
        {
            return reply with
            {
                Error =
                $"a parameter has no value, or a mesh is not one of this node's ({string.Join(", ", context.Meshes)})"
            };
        }
        string? error = context.Registry.Publish(
            new Service(name, request.Params ?? new Dictionary<string, string>(), request.Meshes), this, userId);
        return error is null ? reply with { Service = name } : reply with { Error = error };
    }

    private async Task<IReadOnlyList<LocalNode>> FindAsync(LocalRequest request, string? service, CancellationToken cancellation)
    {
        var found = new List<LocalNode>();
        await foreach (Found node in Marco().FindAsync(SearchOf(request, service), cancellation).ConfigureAwait(false))
        {
            found.Add(LocalNode.Of(node));
        }
        return found;
    }

    private async Task<IReadOnlyList<Service>?> ServicesAsync(LocalRequest request, string node, CancellationToken cancellation)
    {
        Marco marco = Marco();
        await foreach (Found found in marco.FindAsync(
            SearchOf(request, null) with { MaximumNodes = 1, Retries = ServicesRetries }, cancellation).ConfigureAwait(false))
        {
            NodeDescription? all = await marco.ServicesAsync(found, s_servicesTime, cancellation).ConfigureAwait(false);
            return all?.Services;
        }
        return null;
    }

    private Marco Marco() => new(context.Interfaces, context.Clock, context.Verifier);

    private Search SearchOf(LocalRequest request, string? service)
    {
        var standard = new Search();
        TimeSpan timeout = TimeSpan.FromMilliseconds(Math.Max(0, request.Timeout ?? standard.Timeout.TotalMilliseconds));
        return new Search
        {
            Meshes = request.Meshes is { Count: > 0 } ? request.Meshes : context.Meshes,
            Filter = new NodeFilter(service, request.Role, request.Kind, request.Instance, request.Params, request.Nodes),
            Exclude = request.Exclude ?? [],
            MaximumNodes = request.MaxNodes ?? int.MaxValue,
            Timeout = timeout < s_longestSearch ? timeout : s_longestSearch,
            Retries = Math.Clamp(request.Retries ?? standard.Retries, 0, 100),
        };
    }

    /// <summary>Tells events until the program hangs up. A watcher of its own: nobody else of this node needs to watch.</summary>
    private async Task WatchAsync(LocalRequest request, NetworkStream stream, PipeReader reader, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task hangUp = HangUpAsync(reader, stop);
        try
        {
            await foreach (PresenceEvent e in PresenceFeed.WatchAsync(context.Meshes[0], context, stop.Token).ConfigureAwait(false))
            {
                await WriteAsync(stream, new LocalReply(request.Id) { Event = e }, stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The program hung up, or this one is asked to stop.
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await hangUp.ConfigureAwait(false);
        }
    }

    private static async Task HangUpAsync(PipeReader reader, CancellationTokenSource stop)
    {
        try
        {
            while (await ReadLineAsync(reader, stop.Token).ConfigureAwait(false) is not null)
            {
                // What is said after 'watch' is not heard.
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The same.
        }
        await stop.CancelAsync().ConfigureAwait(false);
    }

    /// <exception cref="IOException">The line is longer than a request may be.</exception>
    private static async Task<byte[]?> ReadLineAsync(PipeReader reader, CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult read = await reader.ReadAsync(cancellation).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                byte[] line = buffer.Slice(0, end).ToArray();
                reader.AdvanceTo(buffer.GetPosition(1, end));
                return line;
            }
            if (read.IsCompleted)
            {
                return null;
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (buffer.Length > LocalRequest.MaximumBytes)
            {
                throw new IOException($"a request has no more than {LocalRequest.MaximumBytes} bytes");
            }
        }
    }

    private static ValueTask WriteAsync(NetworkStream stream, LocalReply reply, CancellationToken cancellation)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(reply, ProtocolJson.Default.LocalReply), (byte)'\n'];
        return stream.WriteAsync(line, cancellation);
    }

    /// <summary>Whose program is at the other end: struct ucred of unix(7), process, user, group, each 32 bits.</summary>
    public static uint UserOf(Socket connection)
    {
        Span<byte> credentials = stackalloc byte[12];
        connection.GetRawSocketOption(SolSocket, SoPeerCredentials, credentials);
        return BitConverter.ToUInt32(credentials[4..]);
    }
}
