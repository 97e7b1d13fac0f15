using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading.Channels;

namespace Bootstrap.Protocol.Discovery;

/// <summary>Somebody who answered.</summary>
/// <param name="Address">Where the answer came from: an address that is reachable from here.</param>
public sealed record Found(IPAddress Address, string Id, string HostName, IReadOnlyList<Service> Services);

/// <summary>The asking role of discovery.</summary>
/// <param name="mesh">Which group of nodes is asked.</param>
/// <param name="interfaceNames">Interfaces to ask on; null or empty: all physical ones.</param>
/// <param name="clock">Measures the window.</param>
public sealed class Marco(string mesh, IReadOnlyCollection<string>? interfaceNames, TimeProvider clock)
{
    /// <summary>A question has this size, so that an answer of up to it is allowed.</summary>
    private const int QuestionBytes = 1200;

    /// <summary>
    /// Asks once on every interface and gives each answer as it comes, until the window has passed. A node that hears the
    /// question by two wires is given once for each of its addresses.
    /// </summary>
    /// <param name="service">Only nodes that offer it; null: all.</param>
    /// <param name="window">How long to wait for answers, 10 s at most.</param>
    /// <param name="cancellation">Ends the waiting early.</param>
    public async IAsyncEnumerable<Found> AskAsync(
        string? service, TimeSpan window, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        string nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        // Answers may take the whole window; the rest is for the way.
        int answerWindow = (int)(window.TotalMilliseconds * 0.8);
        byte[] question = Question(nonce, answerWindow, service);

        Channel<Found> answers = Channel.CreateBounded<Found>(4096);
        using var timeout = new CancellationTokenSource(window, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        Task[] receivers = [.. DiscoverySocket.Interfaces(interfaceNames).Select(i => ReceiveAsync(i, question, nonce, answers.Writer, stop.Token))];
        Task done = Task.WhenAll(receivers).ContinueWith(_ => answers.Writer.Complete(), TaskScheduler.Default);
        var seen = new HashSet<(IPAddress, string)>();
        await foreach (Found found in answers.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            if (seen.Add((found.Address, found.Id)))
            {
                yield return found;
            }
        }
        await done.ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
    }

    private byte[] Question(string nonce, int window, string? service)
    {
        var query = new Query(nonce, window, mesh, service, "");
        int bare = query.ToBytes().Length;
        return (query with { Padding = new string('.', Math.Max(0, QuestionBytes - bare)) }).ToBytes();
    }

    private static async Task ReceiveAsync(
        NetworkInterface i, byte[] question, string nonce, ChannelWriter<Found> answers, CancellationToken stop)
    {
        try
        {
            using Socket socket = DiscoverySocket.Ask(i);
            var group = new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);
            await socket.SendToAsync(question, group, stop).ConfigureAwait(false);
            byte[] buffer = new byte[DiscoveryMessage.MaximumBytes + 1];
            while (true)
            {
                SocketReceiveFromResult received =
                    await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), stop).ConfigureAwait(false);
                if (DiscoveryMessage.Read(buffer.AsSpan(0, received.ReceivedBytes)) is Answer answer && answer.Nonce == nonce)
                {
                    IPAddress from = ((IPEndPoint)received.RemoteEndPoint).Address;
                    answers.TryWrite(new Found(from, answer.Id, answer.HostName, answer.Services));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The window has passed.
        }
        catch (SocketException)
        {
            // The interface went down or has no route for multicast: the others go on asking.
        }
    }
}
