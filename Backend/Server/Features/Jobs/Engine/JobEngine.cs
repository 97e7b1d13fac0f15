using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Jobs.Kept;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Jobs.Engine;

/// <summary>
/// Carries tasks from order to proof. Everything that decides is in the database: each event of a node is one transaction, so that a
/// killed appliance goes on where it was. One event is handled at a time.
/// </summary>
internal sealed partial class JobEngine
{
    /// <summary>Pause before a failed installation is tried again, times the attempts so far.</summary>
    private static readonly TimeSpan s_retryPause = TimeSpan.FromSeconds(5);

    private readonly Database _database;
    private readonly NodeDirectory _nodes;
    private readonly JobSources _sources;
    private readonly ProgressBoard _progress;
    private readonly NewBoards _newBoards;
    private readonly KeptArchives _kept;
    private readonly StallWatch _stalls;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly EngineLock _lock;

    /// <summary>Since when nodes are away, Unix milliseconds; of those that are connected it says nothing.</summary>
    private readonly Dictionary<NodeId, long> _awaySince = [];
    private readonly Announcer _announcer;

    public JobEngine(Database database, NodeDirectory nodes, JobSources sources, ProgressBoard progress, NewBoards newBoards,
        KeptArchives kept, StallWatch stalls,
        EventHub events, IHostApplicationLifetime lifetime, TimeProvider clock)
    {
        (_database, _nodes, _sources, _progress, _newBoards, _kept, _stalls, _clock) = (database, nodes, sources, progress, newBoards, kept,
            stalls, clock);
        _announcer = new Announcer(database, nodes, progress, events, lifetime.ApplicationStopping);
        _lock = new EngineLock(_announcer.Tell);
        _started = Now;
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A node introduced itself on a new connection.</summary>
    internal async Task ConnectedAsync(LinkSession session, Hello hello)
    {
        using (await _lock.AcquireAsync())
        {
            if (Current(session.Node) is { } task && task.State != TaskState.Waiting)
            {
                Step step = task.CancelRequested != 0 && hello.Role == NodeRole.NetInst && !hello.ActiveTasks.Contains(task.TaskId)
                    ? task.Attempts == 0 ? new Step.Move(TaskState.Cancelled, "") // no NetInst was sent at its disk
                    : new Step.Move(TaskState.Cancelled, "", Disk: DiskState.Unbootable, Node: Lifecycle.Unbootable)
                    : TaskKind.Of(task).OnConnected(task, hello);
                Apply(task, step);
                if (task.CancelRequested != 0 && hello.Role == NodeRole.Slave)
                {
                    // It was away when it was asked to end it; what has ended stays so.
                    session.Send(new CancelTask(task.TaskId));
                }
            }
            if (hello is { Role: NodeRole.Slave, OnTrial: false })
            {
                _database.Write(c => InstalledNodes.SetRunning(c, session.Node, hello.InstallId));
            }
            Release();
            Advance(session.Node);
            if (hello.Role == NodeRole.NetInst && Current(session.Node) is null)
            {
                ObeyPolicy(session, hello);
            }
        }
    }

    /// <summary>A node said something about a task.</summary>
    internal async Task HeardAsync(LinkSession session, LinkMessage message)
    {
        using (await _lock.AcquireAsync())
        {
            Guid? id = message switch
            {
                TaskAccepted accepted => accepted.TaskId,
                TaskProgress report => report.TaskId,
                TaskEnded ended => ended.TaskId,
                _ => null,
            };
            TaskRow? task = id is null ? null : _database.Read(c => TaskRow.Find(c, id.Value));
            // What ended stays ended, also where it is to be tried again, and a node speaks for its own tasks alone.
            if (task is null || task.EndedAt is not null || task.State <= TaskState.Waiting || task.Node != session.Node)
            {
                return;
            }
            switch (message)
            {
                case TaskAccepted when task.State == TaskState.Sent:
                    Apply(task, new Step.Move(TaskState.Running, TaskKind.Of(task).PhaseOf(task, session.State, TaskPhase.Accepted)));
                    break;
                case TaskProgress report:
                    Progress(task, session, report);
                    break;
                case TaskEnded ended:
                    if (ended.Succeeded && TaskKind.Of(task).EndsTrial(task))
                    {
                        session.Committed();
                    }
                    Apply(task, TaskKind.Of(task).OnEnded(task, ended), mayRetry: !ended.Final);
                    Release();
                    break;
            }
            Advance(session.Node);
        }
    }

    /// <summary>A node's connection ended.</summary>
    internal async Task GoneAsync(LinkSession session)
    {
        using (await _lock.AcquireAsync())
        {
            _awaySince[session.Node] = Now;
            if (Current(session.Node) is { } task && task.State != TaskState.Waiting)
            {
                Apply(task, TaskKind.Of(task).OnGone(task, session.Goodbye));
            }
        }
    }

    /// <summary>Looks at the time: what must be tried again, what has waited too long.</summary>
    internal void Tick()
    {
        using (_lock.Acquire())
        {
            long now = Now;
            foreach (TaskRow task in _database.Read(TaskRow.Open))
            {
                var inPhase = TimeSpan.FromMilliseconds(now - Math.Max(task.PhaseAt, _started));
                if (_stalls.Look(task, inPhase))
                {
                    _announcer.Note(task, withJob: false);
                }
                if (task.State == TaskState.Waiting)
                {
                    Advance(task.Node);
                }
                else
                {
                    Apply(task, TaskKind.Of(task).OnTime(task, inPhase, Away(task, now, inPhase)));
                }
            }
            Release();
        }
    }

    /// <summary>How long the node has been away, since the task came to its phase; null: it is connected.</summary>
    private TimeSpan? Away(TaskRow task, long now, TimeSpan inPhase)
    {
        if (_nodes.Session(task.Node) is not null)
        {
            _awaySince.Remove(task.Node);
            return null;
        }
        if (!_awaySince.TryGetValue(task.Node, out long since))
        {
            // It has gone at this moment, or was away when the appliance was started.
            _awaySince[task.Node] = since = now;
        }
        var away = TimeSpan.FromMilliseconds(now - since);
        return away < inPhase ? away : inPhase;
    }

    /// <summary>Sends the node's oldest open task if it has not been sent and its time has come.</summary>
    private void Advance(NodeId node)
    {
        // A system on trial may be gone in a moment, and what was done in it.
        if (_nodes.Session(node) is { Hello.OnTrial: false } && Current(node) is { State: TaskState.Waiting } task && !(task.RetryAt > Now))
        {
            Apply(task, Step.SendOrder);
        }
    }

    private void ObeyPolicy(LinkSession session, Hello hello)
    {
        if (_newBoards.Decide(session.Node, hello.Inventory.Architecture, out string reason) is { } spec)
        {
            Make(spec, [session.Node], "policy", JobPlan.AtOnce);
        }
        else
        {
            session.Send(new Wait(reason));
        }
    }

    private void Progress(TaskRow task, LinkSession session, TaskProgress report)
    {
        string phase = TaskKind.Of(task).PhaseOf(task, session.State, report.Phase);
        if (phase != task.Phase)
        {
            Apply(task, new Step.Move(TaskState.Running, phase, Disk: TaskKind.Of(task).DiskIn(phase, session.State)));
        }
        else
        {
            _announcer.Note(task, withJob: false);
        }
        _progress.Report(report);
    }

    private void Apply(TaskRow task, Step step, bool mayRetry = true)
    {
        switch (step)
        {
            case Step.Send send when _nodes.Session(task.Node) is { Hello: { } hello } session:
                string fault = "";
                if ((send.Order ?? TaskKind.Of(task).Compose(task, session, hello, _sources, out fault)) is { } order)
                {
                    Send(task, send, session, hello, order);
                }
                else
                {
                    Apply(task, Step.Fail(fault), mayRetry: false);
                }
                break;
            case Step.Move { State: TaskState.Failed or TaskState.TimedOut } failure when mayRetry && task.Retry is { } retry
                && retry.Grants(task):
                Move(task, failure with { State = TaskState.Waiting, Phase = TaskPhase.Retrying }, TimeSpan.FromSeconds(retry.Pause),
                    countsAsRetry: true);
                break;
            case Step.Move move:
                Move(task, move, s_retryPause * task.Attempts);
                break;
        }
    }

    private void Send(TaskRow task, Step.Send step, LinkSession session, Hello hello, TaskOrder order)
    {
        long now = Now;
        _database.Write(c =>
        {
            TaskPhases.Note(c, task.Id, TaskState.Sent, step.Phase, now);
            c.Execute("""
                UPDATE tasks SET state = @state, phase = @Phase, cause = '', phase_at = @now, sent_at = coalesce(sent_at, @now),
                    boot_id_before = @boot, attempts = attempts + @attempt
                WHERE id = @id
                """,
                new
                {
                    id = task.Id,
                    state = nameof(TaskState.Sent),
                    step.Phase,
                    now,
                    boot = hello.BootId,
                    attempt = order.Installs() ? 1 : 0,
                });
            if (order.Installs())
            {
                InstalledNodes.Begin(c, task.Id, task.NodeId);
            }
            if (step.Installed)
            {
                NodeRow.SetInstalled(c, task.NodeId, task.Image, task.Id);
            }
        });
        _progress.Forget(task.TaskId);
        session.Send(new StartTask(task.TaskId, order, (int)task.Retries));
        _announcer.Note(task);
    }

    /// <param name="pause">Before a task that waits again is sent.</param>
    /// <param name="countsAsRetry">The job's policy gave it another attempt.</param>
    private void Move(TaskRow task, Step.Move move, TimeSpan pause, bool countsAsRetry = false)
    {
        bool waits = move.State == TaskState.Waiting;
        if (move.State > TaskState.Succeeded && move.Note.Length == 0)
        {
            move = move with { Note = _kept.Describe(task.TaskId) };
        }
        _database.Write(c =>
        {
            task.Move(c, waits && task.JobPaused != 0 ? move with { State = TaskState.Held } : move, Now,
                waits ? Now + (long)pause.TotalMilliseconds : null, countsAsRetry ? 1 : 0);
            if (move.Node is { } lifecycle)
            {
                NodeRow.SetLifecycle(c, task.NodeId, lifecycle);
            }
            if (move is { State: TaskState.Succeeded, Node: Lifecycle.Installed })
            {
                NodeRow.SetInstalled(c, task.NodeId, task.Image, task.Id);
            }
        });
        if (move.State >= TaskState.Succeeded || move.Phase != task.Phase)
        {
            // How far it was in one phase says nothing of the next.
            _progress.Forget(task.TaskId);
        }
        if (move.State >= TaskState.Succeeded)
        {
            _stalls.Forget(task.TaskId);
        }
        _announcer.Note(task);
    }

    private TaskRow? Current(NodeId node) => _database.Read(c => TaskRow.Open(c, node).FirstOrDefault());
}
