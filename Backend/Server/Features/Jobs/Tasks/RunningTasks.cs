using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>Nodes on which a task runs.</summary>
internal sealed class RunningTasks(Database database) : IQuietTimes
{
    public IReadOnlyDictionary<NodeId, string> Now() => database.Read(c => TaskRow.Running(c).DistinctBy(task => task.NodeId)
        .ToDictionary(task => task.Node, task => $"{task.Kind} runs"));
}
