using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>What nodes have to do, and how far they are.</summary>
internal sealed class OpenTasks(ProgressBoard progress) : INodeTasks
{
    public IReadOnlyDictionary<string, NodeTaskView> Open(SqliteConnection c) =>
        TaskRow.Open(c).GroupBy(task => task.NodeId).ToDictionary(tasks => tasks.Key, tasks => View(tasks.First()));

    public NodeTaskView? Open(SqliteConnection c, NodeId node) => TaskRow.Open(c, node).FirstOrDefault() is { } task ? View(task) : null;

    public bool IsOf(SqliteConnection c, NodeId node, Guid task) => TaskRow.Find(c, task)?.Node == node;

    private NodeTaskView View(TaskRow task)
    {
        TaskMeasure measure = progress.Find(task.TaskId);
        return new NodeTaskView(task.TaskId, Guid.Parse(task.JobId), task.Kind, ApiJson.Word(task.State), task.Phase,
            measure.Done, measure.Total, measure.Unit, measure.Rate,
            TaskFraction.Of(task, measure));
    }
}
