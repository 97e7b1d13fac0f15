using System.Collections.Concurrent;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>Asks nodes to blink, and waits for what they say: a person stands before the rack and wants to know whether to look.</summary>
internal sealed class NodeLocator(TimeProvider clock)
{
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Guid, (NodeId Node, TaskCompletionSource<LocateAnswer> Answer)> _asked = new();

    /// <summary>Asks a node.</summary>
    /// <param name="seconds">How long it is to blink; 0 ends it.</param>
    /// <returns>Null where it says nothing in time.</returns>
    public async Task<LocateAnswer?> AskAsync(LinkSession session, int seconds, CancellationToken cancellation)
    {
        var id = Guid.NewGuid();
        var answer = new TaskCompletionSource<LocateAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = (session.Node, answer);
        try
        {
            session.Send(new Locate(id, seconds));
            return await answer.Task.WaitAsync(s_answerTimeout, clock, cancellation);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
    }

    /// <summary>A node answered; what nobody asked it is ignored.</summary>
    public void Heard(NodeId node, LocateAnswer answer)
    {
        if (_asked.TryGetValue(answer.Id, out (NodeId Node, TaskCompletionSource<LocateAnswer> Answer) asked) && asked.Node == node)
        {
            asked.Answer.TrySetResult(answer);
        }
    }
}
