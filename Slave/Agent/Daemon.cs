using System.Threading.Channels;
using Bootstrap.Agent.Discovery;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent;

/// <summary>The daemon's loop: hears the appliance, runs one task at a time, leaves in order. One loop owns all of its state.</summary>
/// <param name="onTrial">Whether this system was started once and is not committed; null: never.</param>
/// <param name="others">Hear all that the appliance says, for what concerns the node's status and benchmarks between nodes; null: nobody
/// does.</param>
public sealed class Daemon(
    NodeLink link, TaskRunner runner, IdentityKeeper identity, LedBlinker blinker, Revocations revocations, Action<string> log,
    TimeProvider clock,
    Func<bool>? onTrial = null, Action<LinkMessage>? others = null)
{
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_renewalLook = TimeSpan.FromHours(1);

    private readonly Channel<(LinkMessage Message, ApplianceEndpoint Sender)> _inbox =
        Channel.CreateUnbounded<(LinkMessage, ApplianceEndpoint)>();

    private readonly CancellationTokenSource _leaving = new();

    private Uri? _files;

    /// <summary>An order of an appliance that had not welcomed this node yet: where the files for it are is not known.</summary>
    private (StartTask Start, ApplianceEndpoint Sender)? _early;

    private (Guid Id, TaskOrder Order, Task<Ending?> Running, CancellationTokenSource Stop)? _task;

    /// <summary>Another order of the running task, which begins when that has ended: the first start of a system whose commit is not
    /// over.</summary>
    private (StartTask Start, ApplianceEndpoint Sender)? _next;

    /// <summary>The task in progress.</summary>
    public Guid? CurrentTask => _task?.Id;

    /// <summary>Runs until it is told to stop or a task restarts the machine; the appliance has heard goodbye by then.</summary>
    /// <param name="stop">SIGTERM.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        using var linkStop = new CancellationTokenSource();
        Task linked = link.RunAsync(Hear, linkStop.Token);
        Ending end = await ServeAsync(linked, stop).ConfigureAwait(false);
        link.Outbox.Add(new Goodbye(end.Goodbye));
        await linked.WaitAsync(s_farewell, clock, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await linkStop.CancelAsync().ConfigureAwait(false);
        await linked.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        end.Do();
    }

    /// <summary>Takes a message of the appliance's.</summary>
    internal void Hear(LinkMessage message, ApplianceEndpoint sender) => _inbox.Writer.TryWrite((message, sender));

    private async Task<Ending> ServeAsync(Task linked, CancellationToken stop)
    {
        Task stopped = Task.Delay(Timeout.InfiniteTimeSpan, clock, stop);
        Task look = Task.Delay(s_renewalLook, clock, CancellationToken.None);
        Task<(LinkMessage, ApplianceEndpoint)> next = _inbox.Reader.ReadAsync(CancellationToken.None).AsTask();
        while (true)
        {
            Task first = await Task.WhenAny([next, stopped, linked, look, .. _task is { } task ? [task.Running] : Array.Empty<Task>()])
                .ConfigureAwait(false);
            if (first == next)
            {
                (LinkMessage message, ApplianceEndpoint sender) = await next.ConfigureAwait(false);
                next = _inbox.Reader.ReadAsync(CancellationToken.None).AsTask();
                Obey(message, sender);
            }
            else if (first == look)
            {
                look = Task.Delay(s_renewalLook, clock, CancellationToken.None);
                AskForCertificate();
            }
            else if (first == stopped)
            {
                await _leaving.CancelAsync().ConfigureAwait(false);
                return (_task is null ? null : await EndTaskAsync().ConfigureAwait(false)) ?? new Ending("stop", () => { });
            }
            else if (first == linked)
            {
                await linked.ConfigureAwait(false);
            }
            else if (await EndTaskAsync().ConfigureAwait(false) is { } end)
            {
                return end;
            }
            else if (_next is var (start, from))
            {
                _next = null;
                Obey(start, from);
            }
        }
    }

    private void Obey(LinkMessage message, ApplianceEndpoint sender)
    {
        others?.Invoke(message);
        if (message is CancelTask { TaskId: var cancelled } && _early?.Start.TaskId == cancelled)
        {
            _early = null;
        }
        switch (message)
        {
            case Welcome welcome:
                _files = (sender with { Port = welcome.HttpPort }).Url("http", "/");
                identity.Hear(welcome);
                AskForCertificate();
                log($"this node is '{welcome.Name}'");
                if (_early is var (order, orderer))
                {
                    _early = null;
                    Obey(order, orderer);
                }
                break;
            case StartTask start when _files is null:
                _early = (start, sender);
                break;
            case NodeCertificate certificate when identity.Take(certificate) is { } renewed:
                link.Reconnect(renewed);
                break;
            case RevokedKeys revoked:
                revocations.Hear(revoked);
                break;
            case StartTask start when _task is { } task && task.Id == start.TaskId && task.Order.GetType() != start.Order.GetType():
                _next = (start, sender);
                link.Outbox.Add(new TaskAccepted(start.TaskId));
                break;
            case StartTask start when _task is { } task:
                link.Outbox.Add(task.Id == start.TaskId
                    ? new TaskAccepted(start.TaskId)
                    : new TaskEnded(start.TaskId, false, false, $"the node is busy with task {task.Id}", DiskState.Untouched));
                break;
            case StartTask start when start.Order is CommitSlotOrder || !runner.AnswerFromMemory(start.TaskId, start.Attempt):
                var stop = new CancellationTokenSource();
                // Begun elsewhere: this loop goes on listening for a cancellation.
                _task = (start.TaskId, start.Order, Task.Run(() => runner.RunAsync(start, sender, _files!, stop.Token, _leaving.Token)),
                    stop);
                break;
            case Locate locate:
                blinker.Ask(locate);
                break;
            case CancelTask cancel when _task is { } task && task.Id == cancel.TaskId:
                task.Stop.Cancel();
                if (_next is not null)
                {
                    _next = null;
                    link.Outbox.Add(new TaskEnded(cancel.TaskId, false, true, "it had not begun yet", DiskState.Untouched));
                }
                break;
            case CancelTask cancel when !runner.AnswerFromMemory(cancel.TaskId):
                link.Outbox.Add(new TaskEnded(cancel.TaskId, false, true, "it was not running on this node", DiskState.Untouched));
                break;
        }
    }

    /// <summary>
    /// Not in the middle of a task: its messages need no new connection. Nor on trial: the appliance forgets the old certificate, and the
    /// system that the node may go back to has no other.
    /// </summary>
    private void AskForCertificate()
    {
        if (_task is null && onTrial?.Invoke() is not true && identity.Ask() is { } request)
        {
            link.Outbox.Add(request);
        }
    }

    private async Task<Ending?> EndTaskAsync()
    {
        (Guid _, TaskOrder _, Task<Ending?> running, CancellationTokenSource stop) = _task!.Value;
        Ending? end = await running.ConfigureAwait(false);
        stop.Dispose();
        _task = null;
        return end;
    }
}
