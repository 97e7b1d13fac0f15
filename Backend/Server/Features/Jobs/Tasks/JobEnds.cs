using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>What is told of a job when its tasks end.</summary>
internal static class JobEnds
{
    /// <summary>A task has come to its end: the job may have, too, or it is the first one that went wrong.</summary>
    /// <param name="state">In which the task ended.</param>
    public static void Note(SqliteConnection c, string job, TaskState state, long now)
    {
        if (state is TaskState.Failed or TaskState.TimedOut && c.ExecuteScalar<int>(
            "SELECT count(*) FROM tasks WHERE job_id = @job AND state IN ('Failed', 'TimedOut')", new { job }) == 1)
        {
            Outbox.Add(c, NoticeKind.JobFailing, job, now);
        }
        NoteIfEnded(c, job, now);
    }

    /// <summary>Something has happened by which a job may have ended: it is told once.</summary>
    public static void NoteIfEnded(SqliteConnection c, string job, long now)
    {
        if (c.ExecuteScalar<bool>($"SELECT NOT {JobRow.Open} FROM jobs WHERE id = @job", new { job }))
        {
            Outbox.Add(c, NoticeKind.JobEnded, job, now);
        }
    }
}
