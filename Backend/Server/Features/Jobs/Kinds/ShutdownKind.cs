using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>Power off. Proof: the node said goodbye for that reason, and was silent after it.</summary>
internal sealed class ShutdownKind : TaskKind<PowerParameters>
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    public override string Word => "shutdown";

    public override bool EndsConnected => false;

    private protected override string? Validate(PowerParameters parameters, JobRequest request, JobSources sources) =>
        parameters.Validate();

    public override TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, JobSources sources, out string fault)
    {
        fault = "";
        return new ShutdownOrder(ParametersOf(task).Warning);
    }

    public override Step OnConnected(TaskRow task, Hello hello) =>
        hello.BootId != task.BootIdBefore ? Step.Fail("the node started again instead of staying off")
        : WorksOn(hello, task) ? Step.Nothing
        : Step.SendOrder;

    public override Step OnEnded(TaskRow task, TaskEnded ended) =>
        ended.Succeeded ? Step.Nothing
        : ended.Cancelled ? new Step.Move(TaskState.Cancelled, "")
        : Step.Fail(ended.Cause);

    public override Step OnGone(TaskRow task, string? goodbye) =>
        goodbye == "shutdown" ? new Step.Move(TaskState.Running, TaskPhase.GoingDown) : Step.Nothing;

    public override Step OnTime(TaskRow task, TimeSpan inPhase, TimeSpan? away) =>
        task.Phase == TaskPhase.GoingDown && away is not null && inPhase > s_silence ? new Step.Move(TaskState.Succeeded, "")
        : inPhase > s_limit + ParametersOf(task).Grace
            ? Step.TimeOut($"the node did not say goodbye within {s_limit.TotalMinutes:0} minutes")
        : Step.Nothing;
}
