using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Discovery;

/// <summary>What happens to the nodes of a mesh, one event after the other.</summary>
internal static class PresenceFeed
{
    /// <summary>Events that wait for a slow reader; more are lost.</summary>
    private const int MaximumWaiting = 4096;

    /// <summary>Watches, on sockets of its own, until cancelled: it has no other end.</summary>
    public static async IAsyncEnumerable<PresenceEvent> WatchAsync(
        string mesh, LocalContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Channel<PresenceEvent> events = Channel.CreateBounded<PresenceEvent>(MaximumWaiting);
        var wires = new Wires(context.Interfaces, context.Clock);
        var watcher = new PresenceWatcher(mesh, wires, context.Verifier, context.Clock);
        watcher.Happened += e => events.Writer.TryWrite(e);
        wires.Add(watcher);
        Task watching = WatchAsync();
        try
        {
            await foreach (PresenceEvent e in events.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false))
            {
                yield return e;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }

        async Task WatchAsync()
        {
            try
            {
                await Supervisor.RunAsync(stop.Token, new("the network interfaces", wires.RunAsync), new("presence", watcher.RunAsync))
                    .ConfigureAwait(false);
                events.Writer.TryComplete();
            }
            catch (ComponentException e)
            {
                // Whoever reads is told.
                events.Writer.TryComplete(e);
            }
        }
    }
}
