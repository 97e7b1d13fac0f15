using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Jobs.Api;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Jobs.Engine;

/// <summary>
/// Tells those who watch what has changed of jobs, once at the end of each of the engine's turns: a job of a thousand nodes is sent before
/// it is told. A job itself, which is counted anew from all of its tasks, is told a few times a second at most.
/// </summary>
internal sealed class Announcer(Database database, NodeDirectory nodes, ProgressBoard progress, EventHub events, CancellationToken stopping)
{
    private static readonly TimeSpan s_jobPeriod = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<Guid, NodeId> _tasks = [];
    private readonly HashSet<Guid> _jobs = [];

    private readonly Lock _waiting = new();
    private readonly HashSet<Guid> _later = [];

    /// <summary>A task has changed, and its node with it.</summary>
    /// <param name="withJob">So has what its job counts.</param>
    public void Note(TaskRow task, bool withJob = true)
    {
        _tasks[task.TaskId] = task.Node;
        if (withJob)
        {
            NoteJob(Guid.Parse(task.JobId));
        }
    }

    /// <summary>A job has changed.</summary>
    public void NoteJob(Guid job) => _jobs.Add(job);

    /// <summary>Tells what was noted.</summary>
    public void Tell()
    {
        foreach ((Guid id, NodeId node) in _tasks)
        {
            if (database.Read(c => TaskRow.Find(c, id)) is { } task)
            {
                events.Publish("task", TaskView.Of(task, progress.Find(id)));
            }
            nodes.Publish(node);
        }
        foreach (Guid job in _jobs)
        {
            TellSoon(job);
        }
        _tasks.Clear();
        _jobs.Clear();
    }

    /// <summary>Now where it was quiet; else once when the time is over, as it is then.</summary>
    private void TellSoon(Guid job)
    {
        lock (_waiting)
        {
            if (!_later.Add(job))
            {
                return;
            }
        }
        Publish(job);
        _ = TellAgainAsync(job);
    }

    private async Task TellAgainAsync(Guid job)
    {
        // By real time, as those who watch have it, whatever clock the jobs go by.
        await Task.Delay(s_jobPeriod, TimeProvider.System, stopping);
        lock (_waiting)
        {
            _later.Remove(job);
        }
        Publish(job);
    }

    private void Publish(Guid job)
    {
        if (database.Read(c => JobView.Query(c, job)) is [{ } view])
        {
            events.Publish("job", view);
        }
    }
}
