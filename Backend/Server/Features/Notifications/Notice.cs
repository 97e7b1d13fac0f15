using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs.Api;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Notifications;

/// <summary>Something that happened, as it is told.</summary>
/// <param name="Headline">One line.</param>
/// <param name="Text">Lines for people, with the headline.</param>
/// <param name="Body">JSON for programs, as Standard Webhooks shapes it: type, timestamp, data.</param>
internal sealed record Notice(NoticeKind Kind, string Headline, string Text, string Body)
{
    private const int MostNames = 20;

    /// <summary>Puts into words what has happened; null: what it is about is no more.</summary>
    public static Notice? Of(SqliteConnection c, OutboxEvent happened)
    {
        (_, NoticeKind kind, string subject, long at, string words, string data) = happened;
        if (words.Length > 0)
        {
            return new Notice(kind, words, words + "\n", kind switch
            {
                NoticeKind.AlertStarted => Json("alert.started", at, words, JsonNode.Parse(data)!),
                NoticeKind.AlertEnded => Json("alert.ended", at, words, JsonNode.Parse(data)!),
                NoticeKind.BackupFailed => Json("backup.failed", at, words, new { }),
                _ => Json("node.unapproved", at, words, new { node = new { id = subject } }),
            });
        }
        if (kind == NoticeKind.NewBoard)
        {
            if (NodeRow.Find(c, NodeId.Parse(subject)) is not { Name: var name, Inventory: { Model: var model, Serial: var serial } })
            {
                return null;
            }
            string headline = $"a new board has come: {name} ({model})";
            return new Notice(kind, headline, headline + "\n",
                Json(kind, at, headline, new { node = new { id = subject, name, Model = model, Serial = serial } }));
        }
        if (JobView.Query(c, Guid.Parse(subject)) is not [{ } job])
        {
            return null;
        }
        return OfJob(kind, at, job, TaskRow.OfJob(c, job.Id), NodeRow.All(c).ToDictionary(n => n.Id, n => n.Name));
    }

    /// <summary>To see whether a target hears anything.</summary>
    public static Notice Test(long at)
    {
        const string headline = "this is a test: notifications arrive";
        return new Notice(NoticeKind.JobEnded, headline, headline + "\n", Json("test", at, headline, new { }));
    }

    private static Notice OfJob(NoticeKind kind, long at, JobView job, List<TaskRow> tasks, Dictionary<string, string> names)
    {
        string? nodes = tasks.Count == 1 ? names.GetValueOrDefault(tasks[0].NodeId) : $"{tasks.Count} nodes";
        string what = $"{job.Kind}{(job.ImageName is { } image ? $" of {image}" : "")} on {nodes}";
        string headline = kind == NoticeKind.JobFailing
            ? $"{what} has begun to fail"
            : $"{what} has ended: {string.Join(", ", job.Counts.Select(count => $"{count.Value} {count.Key}"))}";
        var causes = tasks.Where(t => t.State is TaskState.Failed or TaskState.TimedOut or TaskState.Skipped or TaskState.Cancelled)
            .GroupBy(t => t.Cause.Length > 0 ? t.Cause : ApiJson.Word(t.State))
            .Select(g => new { cause = g.Key, nodes = g.Select(t => names.GetValueOrDefault(t.NodeId, t.NodeId)).ToList() }).ToList();
        var text = new StringBuilder(headline).Append('\n')
            .Append(CultureInfo.InvariantCulture, $"ordered by {job.CreatedBy}{(job.Schedule is { } schedule ? $" ({schedule})" : "")}\n");
        foreach (var group in causes)
        {
            string more = group.nodes.Count > MostNames ? $" and {group.nodes.Count - MostNames} more" : "";
            text.Append(CultureInfo.InvariantCulture, $"\n{group.cause}\n  {string.Join(", ", group.nodes.Take(MostNames))}{more}\n");
        }
        return new Notice(kind, headline, text.ToString(), Json(kind, at, headline, new { job, causes }));
    }

    private static string Json(NoticeKind kind, long at, string headline, object data) => Json(kind switch
    {
        NoticeKind.JobEnded => "job.ended",
        NoticeKind.JobFailing => "job.failing",
        _ => "node.new",
    }, at, headline, data);

    private static string Json(string type, long at, string text, object data) => JsonSerializer.Serialize(
        new
        {
            type,
            timestamp = DateTimeOffset.FromUnixTimeMilliseconds(at)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            text,
            data
        }, ApiJson.Options);
}
