using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Bootstrap.Protocol.Discovery.Legacy;

/// <summary>A node of the 2015 protocol.</summary>
/// <param name="Address">Where it answered from; it has no other id.</param>
/// <param name="Parameters">Its own, with <c>hostname</c>; or those of the service asked for.</param>
public sealed record LegacyNode(IPAddress Address, IReadOnlyDictionary<string, string> Parameters);

/// <summary>Asks the 2015 programs.</summary>
/// <param name="interfaceNames">Interfaces to ask on; null or empty: all physical ones.</param>
/// <param name="clock">Measures the time-out.</param>
public sealed class LegacyMarco(IReadOnlyCollection<string>? interfaceNames, TimeProvider clock)
{
    /// <summary>How long the 2015 Marco waited.</summary>
    public static TimeSpan StandardTimeout { get; } = TimeSpan.FromSeconds(1);

    /// <summary>Asks a group for all, or for those with a service; each address is given once.</summary>
    /// <param name="group">224.0.0.112 or 224.0.0.113.</param>
    /// <param name="service">Null: all.</param>
    /// <param name="search">Its <see cref="Search.Exclude"/> (addresses), <see cref="NodeFilter.Parameters"/>,
    /// <see cref="Search.MaximumNodes"/>,
    /// <see cref="Search.Timeout"/> (for each question) and <see cref="Search.Retries"/> (how often it is asked again) act.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async IAsyncEnumerable<LegacyNode> FindAsync(
        string group, string? service, Search search, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var question = new LegacyMessage.Question(service is null ? LegacyCommand.Marco : LegacyCommand.RequestFor, service ?? "");
        var seen = new HashSet<IPAddress>();
        await foreach ((LegacyMessage.Reply reply, IPAddress from) in AskAsync(
            question, new IPEndPoint(IPAddress.Parse(group), ServicePorts.Discovery), search, cancellation).ConfigureAwait(false))
        {
            bool wanted = !search.Exclude.Contains(from.ToString()) && (search.Filter?.Parameters ?? new Dictionary<string, string>())
                .All(p => reply.Parameters.TryGetValue(p.Key, out string? value) && value == p.Value);
            if (reply.Services is null && wanted && seen.Add(from))
            {
                yield return new LegacyNode(from, reply.Parameters);
                if (seen.Count >= search.MaximumNodes)
                {
                    yield break;
                }
            }
        }
    }

    /// <summary>The services of one node, asked for by unicast; null if it does not answer.</summary>
    public async Task<IReadOnlyList<Service>?> ServicesAsync(IPAddress node, Search search, CancellationToken cancellation = default)
    {
        var question = new LegacyMessage.Question(LegacyCommand.Services, "");
        await foreach ((LegacyMessage.Reply reply, IPAddress from) in AskAsync(
            question, new IPEndPoint(node, ServicePorts.Discovery), search, cancellation).ConfigureAwait(false))
        {
            if (reply.Services is { } services && from.Equals(node))
            {
                return services;
            }
        }
        return null;
    }

    private async IAsyncEnumerable<(LegacyMessage.Reply Reply, IPAddress From)> AskAsync(
        LegacyMessage.Question question, IPEndPoint to, Search search, [EnumeratorCancellation] CancellationToken cancellation)
    {
        Channel<(LegacyMessage.Reply, IPAddress)> replies = Channel.CreateBounded<(LegacyMessage.Reply, IPAddress)>(4096);
        List<Socket> sockets = [.. DiscoverySocket.Interfaces(interfaceNames).Select(TryOpen).OfType<Socket>()];
        Task[] receivers = [.. sockets.Select(socket => ReceiveAsync(socket, replies.Writer))];
        byte[] bytes = LegacyMessage.Write(question);
        try
        {
            for (int i = 0; i <= search.Retries; i++)
            {
                foreach (Socket socket in sockets)
                {
                    TrySend(socket, bytes, to);
                }
                using var timeout = new CancellationTokenSource(search.Timeout, clock);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
                while (await MoreAsync(replies.Reader, either.Token, cancellation).ConfigureAwait(false))
                {
                    while (replies.Reader.TryRead(out (LegacyMessage.Reply, IPAddress) reply))
                    {
                        yield return reply;
                    }
                }
            }
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
            await Task.WhenAll(receivers).ConfigureAwait(false);
        }
    }

    private static async Task<bool> MoreAsync(
        ChannelReader<(LegacyMessage.Reply, IPAddress)> replies, CancellationToken either, CancellationToken cancellation)
    {
        try
        {
            return await replies.WaitToReadAsync(either).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task ReceiveAsync(Socket socket, ChannelWriter<(LegacyMessage.Reply, IPAddress)> replies)
    {
        byte[] buffer = new byte[LegacyMessage.MaximumBytes + 1];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0))
                    .ConfigureAwait(false);
                if (LegacyMessage.ReadReply(buffer.AsMemory(0, received.ReceivedBytes)) is { } reply)
                {
                    replies.TryWrite((reply, ((IPEndPoint)received.RemoteEndPoint).Address));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The search is over, or the interface went down.
        }
    }

    private static Socket? TryOpen(NetworkInterface i)
    {
        try
        {
            Socket socket = DiscoverySocket.Ask(i);
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, LegacyMessage.TimeToLive);
            return socket;
        }
        catch (Exception e) when (e is SocketException or NetworkInformationException)
        {
            // It went down a moment ago.
            return null;
        }
    }

    private static void TrySend(Socket socket, byte[] question, IPEndPoint to)
    {
        try
        {
            socket.SendTo(question, to);
        }
        catch (SocketException)
        {
            // No way there from this interface: the others ask as well.
        }
    }
}
