using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// The answering role of discovery: hears questions on every physical interface and answers those for its mesh and services.
/// Interfaces that come and go are followed; a source gets at most 10 answers a second, and none longer than its question.
/// </summary>
/// <param name="id">Node id, or the appliance's id.</param>
/// <param name="mesh">The mesh it belongs to.</param>
/// <param name="services">What it offers, asked anew for every answer.</param>
/// <param name="interfaceNames">Interfaces to listen on; null or empty: all physical ones.</param>
/// <param name="clock">Times the answers.</param>
/// <param name="malformed">Told of each datagram that is no message; it was dropped.</param>
public sealed class Polo(
    string id, string mesh, Func<IReadOnlyList<Service>> services, IReadOnlyCollection<string>? interfaceNames, TimeProvider clock,
    Action? malformed = null)
{
    /// <summary>Switches with IGMP snooping forget members; DHCP brings addresses late; cables are moved.</summary>
    private static readonly TimeSpan s_rejoinPeriod = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromSeconds(2);

    /// <summary>Replies that wait for their moment, on one interface; more questions at once are a flood.</summary>
    private const int MaximumPendingReplies = 256;

    private readonly AnswerLimit _limit = new(clock);

    /// <summary>Answers until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var listeners = new Dictionary<string, Listener>();
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                await FollowInterfacesAsync(listeners, cancellation).ConfigureAwait(false);
                await Task.Delay(s_lookPeriod, clock, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            foreach (Listener listener in listeners.Values)
            {
                await listener.StopAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task FollowInterfacesAsync(Dictionary<string, Listener> listeners, CancellationToken cancellation)
    {
        var present = DiscoverySocket.Interfaces(interfaceNames).ToDictionary(i => i.Name);
        foreach ((string name, Listener listener) in listeners.ToArray())
        {
            if (!present.ContainsKey(name) || listener.IsOver || clock.GetElapsedTime(listener.Started) > s_rejoinPeriod)
            {
                await listener.StopAsync().ConfigureAwait(false);
                listeners.Remove(name);
            }
        }
        foreach ((string name, NetworkInterface i) in present)
        {
            if (!listeners.ContainsKey(name) && TryListen(i) is { } socket)
            {
                listeners.Add(name, new Listener(socket, AnswerAsync, clock.GetTimestamp(), cancellation));
            }
        }
    }

    private static Socket? TryListen(NetworkInterface i)
    {
        try
        {
            return DiscoverySocket.Listen(i);
        }
        catch (SocketException)
        {
            // Went down between listing and joining: looked at again in two seconds.
            return null;
        }
        catch (NetworkInformationException)
        {
            return null;
        }
    }

    private async Task AnswerAsync(Socket socket, CancellationToken cancellation)
    {
        byte[] buffer = new byte[DiscoveryMessage.MaximumBytes + 1];
        var replies = new List<Task>();
        try
        {
            while (true)
            {
                SocketReceiveFromResult received =
                    await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), cancellation).ConfigureAwait(false);
                var asker = (IPEndPoint)received.RemoteEndPoint;
                replies.RemoveAll(reply => reply.IsCompleted);
                DiscoveryMessage? message = DiscoveryMessage.Read(buffer.AsSpan(0, received.ReceivedBytes));
                if (message is null)
                {
                    malformed?.Invoke();
                }
                if (replies.Count < MaximumPendingReplies && message is Query query && query.Mesh == mesh &&
                    Compose(query) is { } answer && answer.Length <= received.ReceivedBytes && _limit.Allows(asker.Address))
                {
                    replies.Add(ReplyAsync(socket, answer, asker, query.WindowMilliseconds, cancellation));
                }
            }
        }
        finally
        {
            await Task.WhenAll(replies).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReplyAsync(Socket socket, byte[] answer, IPEndPoint asker, int windowMilliseconds, CancellationToken cancellation)
    {
        TimeSpan pause = TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * windowMilliseconds);
        await Task.Delay(pause, clock, cancellation).ConfigureAwait(false);
        await socket.SendToAsync(answer, asker, cancellation).ConfigureAwait(false);
    }

    private byte[]? Compose(Query query)
    {
        IReadOnlyList<Service> offered = services();
        Service[] wanted = [.. offered.Where(s => query.Service is null || s.Id == query.Service)];
        return wanted.Length == 0 && query.Service is not null
            ? null
            : new Answer(query.Nonce, id, Environment.MachineName, mesh, wanted).ToBytes();
    }

    /// <summary>One interface's socket and the loop that reads it.</summary>
    private sealed class Listener
    {
        private readonly Socket _socket;
        private readonly CancellationTokenSource _stop;
        private readonly Task _loop;

        public Listener(Socket socket, Func<Socket, CancellationToken, Task> answer, long started, CancellationToken cancellation)
        {
            _socket = socket;
            Started = started;
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            _loop = RunAsync(answer);
        }

        public long Started { get; }

        public bool IsOver => _loop.IsCompleted;

        public async Task StopAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _loop.ConfigureAwait(false);
            _stop.Dispose();
        }

        private async Task RunAsync(Func<Socket, CancellationToken, Task> answer)
        {
            try
            {
                await answer(_socket, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // Stopped by its owner.
            }
            catch (SocketException)
            {
                // The interface went away: the owner sees that the loop is over and looks again.
            }
            finally
            {
                _socket.Dispose();
            }
        }
    }
}
