using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Dapper;

namespace Bootstrap.Server.Features.Jobs.Engine;

/// <content>What people and programs ask for, and whose turn it is.</content>
internal sealed partial class JobEngine
{
    /// <summary>Makes a job with one task per node and starts what can be started. The nodes and the image exist.</summary>
    /// <param name="spec">What to do, as its kind has accepted it.</param>
    /// <param name="nodes">Not empty.</param>
    /// <param name="by">Name of a person, "policy" or "schedule".</param>
    /// <param name="plan">In which order, and how often; null: all of them now, once.</param>
    public Guid Create(JobSpec spec, IReadOnlyCollection<NodeId> nodes, string by, JobPlan? plan = null)
    {
        using (_lock.Acquire())
        {
            return Make(spec, nodes, by, plan ?? JobPlan.AtOnce);
        }
    }

    /// <summary>Asks for the end of a task. One that was not sent yet ends at once; a running one when its node agrees.</summary>
    /// <returns>False where there is no such open task.</returns>
    public bool Cancel(Guid taskId)
    {
        using (_lock.Acquire())
        {
            bool cancelled = Ask(taskId);
            Release();
            return cancelled;
        }
    }

    /// <summary>Asks for the end of all tasks of a job, and of those that measure before and after it.</summary>
    public void CancelAll(Guid job)
    {
        using (_lock.Acquire())
        {
            End(job);
            Release();
        }
    }

    /// <summary>Takes a job back as if it had never been ordered, which can be done until a node was sent something of it.</summary>
    /// <returns>Null: done, no node knows of it. Otherwise why it cannot be.</returns>
    public string? Undo(Guid id)
    {
        using (_lock.Acquire())
        {
            List<TaskRow> tasks = _database.Read(c => TaskRow.OfJob(c, id));
            int begun = tasks.Count(t => t.SentAt is not null);
            TaskRow[] open = [.. tasks.Where(t => t.EndedAt is null)];
            bool mayCome = _database.Read(c => JobRow.Find(c, id))?.OpenSelector is not null;
            if (begun > 0 || (open.Length == 0 && !mayCome))
            {
                return begun > 0 ? $"Job {id} has begun on {begun} of {tasks.Count} nodes and cannot be undone: cancel what is left of it."
                    : $"Job {id} has ended: there is nothing to undo.";
            }
            _database.Write(c =>
            {
                foreach (TaskRow task in open)
                {
                    task.Move(c, new Step.Move(TaskState.Cancelled, "", Note: "undone before anything was sent to the node"), Now);
                }
                JobRow.Close(c, id, Now);
            });
            _announcer.NoteJob(id);
            foreach (TaskRow task in open)
            {
                _announcer.Note(task);
            }
            foreach (Guid measuring in _database.Read(c => JobRow.Measuring(c, id)))
            {
                End(measuring);
            }
            Release();
            return null;
        }
    }

    /// <summary>Ends what a node is to do, before it is forgotten. The history of its jobs keeps its name.</summary>
    /// <param name="forget">Removes the node.</param>
    public void Forget(NodeId node, Action forget)
    {
        using (_lock.Acquire())
        {
            foreach (TaskRow task in _database.Read(c => TaskRow.OfNode(c, node, int.MaxValue)).Where(t => t.EndedAt is null))
            {
                Move(task, new Step.Move(TaskState.Cancelled, "", "the node was forgotten"), TimeSpan.Zero);
            }
            _database.Write(c => TaskRow.KeepName(c, node));
            forget();
            Release();
        }
    }

    /// <summary>Halts a job, so that nothing more of it begins while what was sent goes on, or lets it go on.</summary>
    /// <returns>False where no task of it is open.</returns>
    public bool SetPaused(Guid id, bool paused)
    {
        using (_lock.Acquire())
        {
            if (!_database.Write(c => JobRow.SetPaused(c, id, paused)))
            {
                return false;
            }
            Release();
            foreach (TaskRow task in _database.Read(c => TaskRow.OfJob(c, id)).Where(t => t.EndedAt is null))
            {
                _announcer.Note(task);
                Advance(task.Node);
            }
            return true;
        }
    }

    /// <summary>Makes a job like another one for those nodes that failed in it, are still there, and are not tried again
    /// already.</summary>
    /// <param name="only">For this node alone; null: for all of them.</param>
    /// <param name="by">Name of a person.</param>
    /// <param name="holdSeconds">As <see cref="JobPlan.Hold"/> takes them.</param>
    /// <returns>The new job; null where there is none, and <paramref name="refusal"/> says why.</returns>
    public Guid? Retry(Guid id, NodeId? only, string by, int holdSeconds, out string refusal)
    {
        using (_lock.Acquire())
        {
            JobRow first = _database.Read(c => JobRow.Find(c, id))!;
            NodeId[] failed = [.. _database.Read(c => TaskRow.OfJob(c, id)).Where(t => t.State is TaskState.Failed or TaskState.TimedOut)
                .Select(t => t.Node).Where(n => (only is null || n == only) && _nodes.Find(n) is not null)];
            Dictionary<NodeId, Guid> again = _database.Read(c => JobRow.OpenRetriesOf(c, id));
            NodeId[] left = [.. failed.Where(n => !again.ContainsKey(n))];
            refusal = failed.Length == 0
                ? $"{(only is null ? "No node" : "This node has not")} failed in job {id}: there is nothing to try again."
                : left.Length == 0 ? $"Job {again[failed[0]]} tries again already what failed in job {id}."
                : "";
            return refusal.Length > 0 ? null
                : Make(first.Spec, left, by, (first.Plan with { RetryOf = id }).Hold(holdSeconds, _clock.GetUtcNow()));
        }
    }

    private Guid Make(JobSpec spec, IReadOnlyCollection<NodeId> nodes, string by, JobPlan plan)
    {
        IReadOnlyList<(JobSpec Spec, JobPlan Plan, bool Main, Guid Id)> chain = plan.Chain(spec);
        _database.Write(c =>
        {
            foreach ((JobSpec what, JobPlan how, _, Guid id) in chain)
            {
                JobRow.Insert(c, id, what, nodes, by, how.For(what, nodes.Count), Now);
            }
        });
        foreach ((_, _, _, Guid id) in chain)
        {
            _announcer.NoteJob(id);
        }
        Release();
        foreach (NodeId node in nodes)
        {
            Advance(node);
        }
        return chain.First(job => job.Main).Id;
    }

    private void End(Guid job)
    {
        foreach (Guid one in (IEnumerable<Guid>)[job, .. _database.Read(c => JobRow.Measuring(c, job))])
        {
            // From the last one on: no task gets its turn because the one before it was cancelled.
            foreach (TaskRow task in _database.Read(c => TaskRow.OfJob(c, one)).Where(t => t.EndedAt is null).Reverse())
            {
                Ask(task.TaskId);
            }
            _database.Write(c => JobRow.Close(c, one, Now));
            _announcer.NoteJob(one);
        }
    }

    private bool Ask(Guid taskId)
    {
        TaskRow? task = _database.Write(c =>
        {
            c.Execute("UPDATE tasks SET cancel_requested = 1 WHERE id = @id AND ended_at IS NULL", new { id = taskId.ToString() });
            return TaskRow.Find(c, taskId);
        });
        if (task is null || task.EndedAt is not null)
        {
            return false;
        }
        if (task.State <= TaskState.Waiting)
        {
            Apply(task, new Step.Move(TaskState.Cancelled, ""));
        }
        else
        {
            _nodes.Session(task.Node)?.Send(new CancelTask(taskId));
            _announcer.Note(task, withJob: false);
        }
        return true;
    }

    /// <summary>Lets those held tasks begin whose turn has come, and skips those whose turn will never come.</summary>
    private void Release()
    {
        while (_database.Read(JobRow.Undecided).Any(Release))
        {
            // A task that began may have failed at once, and another's turn has come.
        }
    }

    /// <returns>True if a task began or was skipped.</returns>
    private bool Release(JobRow job)
    {
        List<TaskRow> tasks = _database.Read(c => TaskRow.OfJob(c, job.JobId));
        List<TaskRow> earlier = job.After is { } after ? _database.Read(c => TaskRow.OfJob(c, after)) : [];
        if (job is { OpenSelector: { } selector, Paused: false } && (job.BeginBy <= Now || Rollout.FindDelay(job, earlier, Now) is null))
        {
            Choose(job, selector, tasks);
            return true;
        }
        RolloutStep step = Rollout.Decide(job, tasks, earlier, Now, node => _nodes.Session(node) is { Hello: not null },
            node => Current(node) is null, node => BoardPower.WattsOf(_nodes.Find(node)?.Revision));
        if (step.Begin.Count + step.Skip.Count == 0 && step.Note == job.Note)
        {
            return false;
        }
        _database.Write(c =>
        {
            foreach (TaskRow task in step.Begin)
            {
                task.Begin(c);
            }
            foreach (TaskRow task in step.Skip)
            {
                task.Move(c, new Step.Move(TaskState.Skipped, "", step.Note), Now);
            }
            JobRow.SetNote(c, job.Id, step.Note);
        });
        foreach (TaskRow task in step.Begin.Concat(step.Skip))
        {
            _announcer.Note(task);
            Advance(task.Node);
        }
        _announcer.NoteJob(job.JobId);
        return step.Begin.Count + step.Skip.Count > 0;
    }

    /// <summary>
    /// The job begins: its nodes are those that its selector takes now, or those that it has where it is too late to begin. What was ended
    /// before, as by a cancellation, stays so.
    /// </summary>
    private void Choose(JobRow job, string selector, List<TaskRow> tasks)
    {
        if (job.BeginBy <= Now)
        {
            _database.Write(c => JobRow.Close(c, job.JobId, Now));
            _announcer.NoteJob(job.JobId);
            return;
        }
        var words = NodeSelector.Parse(selector);
        IReadOnlyList<NodeView> taken = _nodes.Select(words);
        HashSet<NodeId> known = [.. tasks.Select(t => t.Node)], open = [.. tasks.Where(t => t.EndedAt is null).Select(t => t.Node)],
            wanted = [.. taken.Select(n => n.Id)];
        NodeView[] added = [.. taken.Where(n => !known.Contains(n.Id))], kept = [.. taken.Where(n => open.Contains(n.Id))];
        TaskRow[] left = [.. tasks.Where(t => t.EndedAt is null && !wanted.Contains(t.Node))];
        Fitting fitting = Fitting.Of(job.Kind, job.Image, JsonElement.Parse(job.Parameters), added, _sources, beside: kept);
        _database.Write(c =>
        {
            job.Choose(c, [.. added.Select(n => n.Id)], fitting.Unfit, left, Now);
            JobRow.SetNote(c, job.Id, added.Length + kept.Length > 0 ? "" : $"no node was taken by '{selector}' when it began{words.Why}");
        });
        _announcer.NoteJob(job.JobId);
        foreach (TaskRow task in _database.Read(c => TaskRow.OfJob(c, job.JobId))
            .Where(t => !known.Contains(t.Node) || left.Any(l => l.Id == t.Id)))
        {
            _announcer.Note(task);
        }
    }
}
