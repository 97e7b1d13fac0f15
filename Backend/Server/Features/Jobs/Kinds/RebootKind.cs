using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>Restart. Proof: the node is back with another kernel boot id.</summary>
internal sealed class RebootKind : TaskKind<PowerParameters>
{
    /// <summary>A Pi with spanning tree on its port and a file system check to do is back in less.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    public override string Word => "reboot";

    private protected override string? Validate(PowerParameters parameters, JobRequest request, JobSources sources) =>
        parameters.Validate();

    public override TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, JobSources sources, out string fault)
    {
        fault = "";
        return new RebootOrder(ParametersOf(task).Warning);
    }

    public override Step OnConnected(TaskRow task, Hello hello) =>
        hello.BootId != task.BootIdBefore ? new Step.Move(TaskState.Succeeded, "")
        : WorksOn(hello, task) ? Step.Nothing
        : Step.SendOrder;

    public override Step OnEnded(TaskRow task, TaskEnded ended) =>
        ended.Succeeded ? Step.Nothing
        : ended.Cancelled ? new Step.Move(TaskState.Cancelled, "")
        : Step.Fail(ended.Cause);

    public override Step OnGone(TaskRow task, string? goodbye) =>
        goodbye == "reboot" ? new Step.Move(TaskState.Running, TaskPhase.Restarting) : Step.Nothing;

    public override Step OnTime(TaskRow task, TimeSpan inPhase, TimeSpan? away) =>
        inPhase > s_limit + ParametersOf(task).Grace
            ? Step.TimeOut($"the node did not come back with a new start within {s_limit.TotalMinutes:0} minutes") : Step.Nothing;
}
