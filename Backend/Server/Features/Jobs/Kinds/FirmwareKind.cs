using System.Text.Json.Serialization;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Jobs.Kinds;

/// <summary>How boot firmware is brought up to date.</summary>
/// <param name="GraceSeconds">As for <see cref="PowerParameters"/>, as <paramref name="Message"/>.</param>
/// <param name="PowerChecked">A person has looked at the supply of these nodes. It stands for what a node cannot measure, and for nothing
/// that it has measured.</param>
/// <param name="AllowDirectWrite">Also where a power cut in the middle may leave a board that somebody has to repair by hand.</param>
internal sealed record FirmwareParameters(int GraceSeconds = 0, string Message = "", bool PowerChecked = false,
    bool AllowDirectWrite = false)
{
    [JsonIgnore]
    public PowerParameters Power => new(GraceSeconds, Message);
}

/// <summary>
/// Bring the boot firmware of nodes (a Pi's EEPROM) up to the newest that they have. The Slave checks the power, stages it and restarts the
/// machine. Proof: after the restart the board says that it runs what was staged, or something newer.
/// </summary>
internal sealed class FirmwareKind : TaskKind<FirmwareParameters>
{
    /// <summary>
    /// What can be ended, the node gives up by itself after 20 minutes; writing takes a minute or two. Where it hangs, the node does not
    /// end it, and nothing more is expected of it here.
    /// </summary>
    private static readonly TimeSpan s_workLimit = TimeSpan.FromMinutes(30);

    /// <summary>An EEPROM is written in less than a minute, and the board restarts once more for it.</summary>
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(15);

    /// <summary>Most of it is the restart.</summary>
    private static readonly Dictionary<string, (double From, double To)> s_way = new()
    {
        [TaskPhase.Checking] = (0, 0.1),
        [TaskPhase.Staging] = (0.1, 0.4),
        [TaskPhase.Restarting] = (0.4, 0.95),
        [TaskPhase.Confirming] = (0.95, 1),
    };

    public override string Word => "firmware";

    public override IReadOnlyDictionary<string, (double From, double To)> Way(TaskRow task) => s_way;

    /// <summary>A board that does not start again is repaired by hand: one after the other, and nobody else after the first
    /// failure.</summary>
    public override RolloutPolicy UsualRollout(string parameters) => new(MaximumAtOnce: 1, StopAfter: "1");

    private protected override string? Validate(FirmwareParameters parameters, JobRequest request, JobSources sources) =>
        parameters.Power.Validate();

    public override TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, JobSources sources, out string fault)
    {
        fault = hello.Role != NodeRole.Slave && task.Phase is TaskPhase.Restarting or TaskPhase.Confirming
            ? "the node started NetInst instead of its system after the restart for its new boot firmware, and has not shown what it " +
                "runs: look at its disk and its boot order"
            : RefuseNetInst(hello);
        FirmwareParameters parameters = ParametersOf(task);
        return fault.Length > 0 ? null : new FirmwareOrder(parameters.Power.Warning, parameters.PowerChecked, parameters.AllowDirectWrite);
    }

    public override Step OnConnected(TaskRow task, Hello hello) =>
        WorksOn(hello, task) ? Step.Nothing
        // The order that comes again is answered by what runs now; where the power went before anything was staged, it is begun again.
        : task.Phase == TaskPhase.Restarting && hello.BootId != task.BootIdBefore ? new Step.Send(TaskPhase.Confirming)
        : Step.SendOrder;

    public override Step OnEnded(TaskRow task, TaskEnded ended) => EndAs(ended);

    public override Step OnGone(TaskRow task, string? goodbye) =>
        goodbye == "reboot" ? new Step.Move(TaskState.Running, TaskPhase.Restarting) : Step.Nothing;

    public override Step OnTime(TaskRow task, TimeSpan inPhase, TimeSpan? away) =>
        FindNotTaken(task, inPhase, away is null) ?? task.Phase switch
        {
            TaskPhase.Restarting when inPhase > s_startLimit => Step.TimeOut(
                $"the node did not come back within {s_startLimit.TotalMinutes:0} minutes after it restarted for its new boot firmware: " +
                    "look at the board, whose LED may tell an error"),
            TaskPhase.Restarting => Step.Nothing,
            _ when inPhase > s_workLimit + ParametersOf(task).Power.Grace => Step.TimeOut(
                $"the node has not told how it ended within {(s_workLimit + ParametersOf(task).Power.Grace).TotalMinutes:0} minutes: it " +
                    "may be off, or have lost its network"),
            _ => Step.Nothing,
        };
}
