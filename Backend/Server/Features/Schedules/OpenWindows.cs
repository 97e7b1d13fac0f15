using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>Nodes of schedules whose maintenance window is open.</summary>
internal sealed class OpenWindows(ScheduleStore schedules, NodeDirectory nodes, TimeProvider clock) : IQuietTimes
{
    public IReadOnlyDictionary<NodeId, string> Now()
    {
        DateTimeOffset now = clock.GetUtcNow();
        var quiet = new Dictionary<NodeId, string>();
        foreach ((Schedule schedule, _) in schedules.All().Where(s => s.Schedule is { Enabled: true, Window: not null }))
        {
            if (schedule.Window!.For(now, schedule.Zone).Opens > now)
            {
                continue;
            }
            IEnumerable<NodeId> those = schedule.Job.Select is { } select ? nodes.Select(NodeSelector.Parse(select)).Select(node => node.Id)
                : (schedule.Job.Nodes ?? []).Select(NodeId.Parse);
            foreach (NodeId node in those)
            {
                quiet.TryAdd(node, $"maintenance window of {schedule.Name}");
            }
        }
        return quiet;
    }
}
