using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Tests;

/// <summary>Success is proven, never assumed: each kind's decisions, event by event.</summary>
public sealed class TaskKindTests
{
    private static readonly Guid s_task = Guid.CreateVersion7();

    [Fact]
    public void A_reboot_has_succeeded_when_the_node_is_back_with_another_boot_id_and_not_before()
    {
        var kind = new RebootKind();
        TaskRow task = Row("reboot", bootIdBefore: "old");
        Assert.Equal(Step.Nothing, kind.OnEnded(task, new TaskEnded(s_task, true, false, "", DiskState.Untouched)));
        Assert.Equal(Step.Nothing, kind.OnConnected(task, Hello(NodeRole.Slave, "old", active: true)));
        Assert.Equal(Step.SendOrder, kind.OnConnected(task, Hello(NodeRole.Slave, "old")));
        Assert.Equal(TaskState.Succeeded, Move(kind.OnConnected(task, Hello(NodeRole.Slave, "new"))).State);
        Assert.Equal(Step.Nothing, kind.OnTime(task, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(9)));
        Assert.Equal(TaskState.TimedOut, Move(kind.OnTime(task, TimeSpan.FromMinutes(11), TimeSpan.FromMinutes(11))).State);
    }

    [Fact]
    public void A_shutdown_has_succeeded_after_goodbye_and_silence()
    {
        var kind = new ShutdownKind();
        TaskRow task = Row("shutdown", bootIdBefore: "old");
        Assert.Equal(Step.Nothing, kind.OnGone(task, null));
        Step.Move down = Move(kind.OnGone(task, "shutdown"));
        Assert.Equal((TaskState.Running, "going-down"), (down.State, down.Phase));

        TaskRow going = Row("shutdown", phase: down.Phase, bootIdBefore: "old");
        Assert.Equal(Step.Nothing, kind.OnTime(going, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5)));
        Assert.Equal(TaskState.Succeeded, Move(kind.OnTime(going, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30))).State);
        Assert.Equal(TaskState.Failed, Move(kind.OnConnected(going, Hello(NodeRole.Slave, "new"))).State);
        Assert.Equal(TaskState.TimedOut, Move(kind.OnTime(task, TimeSpan.FromMinutes(6), null)).State);
    }

    [Fact]
    public void An_update_of_boot_firmware_asks_after_the_restart_what_runs_and_believes_nothing_before()
    {
        var kind = new FirmwareKind();
        TaskRow staging = Row("firmware", phase: "staging", bootIdBefore: "old");
        Assert.Equal(Step.Nothing, kind.OnConnected(staging, Hello(NodeRole.Slave, "old", active: true)));
        Assert.Equal(Step.Nothing, kind.OnGone(staging, null));
        // The power went in the middle: it begins again.
        Assert.Equal(Step.SendOrder, kind.OnConnected(staging, Hello(NodeRole.Slave, "new")));
        Step.Move gone = Move(kind.OnGone(staging, "reboot"));
        Assert.Equal((TaskState.Running, TaskPhase.Restarting), (gone.State, gone.Phase));

        TaskRow restarting = Row("firmware", phase: gone.Phase, bootIdBefore: "old");
        Assert.Equal(Step.SendOrder, kind.OnConnected(restarting, Hello(NodeRole.Slave, "old")));
        Assert.Equal(new Step.Send(TaskPhase.Confirming), kind.OnConnected(restarting, Hello(NodeRole.Slave, "new")));
        Step.Move proven = Move(kind.OnEnded(restarting,
            new TaskEnded(s_task, true, false, "", DiskState.Untouched, Note: "the board runs it")));
        Assert.Equal((TaskState.Succeeded, "the board runs it"), (proven.State, proven.Note));
        Step.Move older = Move(kind.OnEnded(restarting,
            new TaskEnded(s_task, false, false, "the board still runs the old one", DiskState.Untouched)));
        Assert.Equal((TaskState.Failed, "the board still runs the old one"), (older.State, older.Cause));
        Assert.Equal(TaskState.Cancelled,
            Move(kind.OnEnded(staging, new TaskEnded(s_task, false, true, "cancelled", DiskState.Untouched))).State);
    }

    [Fact]
    public void An_update_of_boot_firmware_is_waited_for_while_it_may_still_come()
    {
        var kind = new FirmwareKind();
        TaskRow restarting = Row("firmware", phase: TaskPhase.Restarting, bootIdBefore: "old");
        Assert.Equal(Step.Nothing, kind.OnTime(restarting, TimeSpan.FromMinutes(14), TimeSpan.FromMinutes(14)));
        Step.Move lost = Move(kind.OnTime(restarting, TimeSpan.FromMinutes(16), TimeSpan.FromMinutes(16)));
        Assert.Equal(TaskState.TimedOut, lost.State);
        Assert.StartsWith("the node did not come back within 15 minutes", lost.Cause, StringComparison.Ordinal);

        TaskRow warned = Row("firmware", phase: "warning-users", parameters: """{"graceSeconds":3600}""");
        Assert.Equal(Step.Nothing, kind.OnTime(warned, TimeSpan.FromMinutes(89), null));
        Assert.Equal(TaskState.TimedOut, Move(kind.OnTime(warned, TimeSpan.FromMinutes(91), null)).State);
    }

    [Fact]
    public void An_installation_has_succeeded_when_the_new_system_reports_in_with_its_id_and_not_before()
    {
        var kind = new InstallKind();
        Step.Move written = Move(kind.OnEnded(Row("install"), new TaskEnded(s_task, true, false, "", DiskState.Installed)));
        Assert.Equal((TaskState.Running, TaskPhase.Starting), (written.State, written.Phase));

        TaskRow starting = Row("install", phase: TaskPhase.Starting);
        Step.Move proven = Move(kind.OnConnected(starting, Hello(NodeRole.Slave, "new", installId: s_task)));
        Assert.Equal((TaskState.Succeeded, Lifecycle.Installed), (proven.State, proven.Node));

        Assert.Equal(TaskState.Failed, Move(kind.OnConnected(starting, Hello(NodeRole.Slave, "new", installId: Guid.NewGuid()))).State);
        Assert.Equal(TaskState.Failed, Move(kind.OnConnected(starting, Hello(NodeRole.Slave, "new"))).State);
        Assert.Equal(TaskState.TimedOut, Move(kind.OnTime(starting, TimeSpan.FromMinutes(16), null)).State);

        // The NetInst that wrote it has only lost its connection; one that was started since finds nothing that boots.
        TaskRow done = Row("install", phase: TaskPhase.Starting, bootIdBefore: "netinst");
        Assert.Equal(Step.Nothing, kind.OnConnected(done, Hello(NodeRole.NetInst, "netinst")));
        Assert.Equal(Step.SendOrder, kind.OnConnected(done, Hello(NodeRole.NetInst, "again")));
    }

    [Fact]
    public void An_installation_with_a_profile_goes_on_in_the_new_system_and_succeeds_however_that_ends()
    {
        var kind = new InstallKind();
        const string profile = """{"profile":"classroom"}""";
        var begun = Assert.IsType<Step.Send>(kind.OnConnected(Row("install", phase: TaskPhase.Starting, parameters: profile),
            Hello(NodeRole.Slave, "new", installId: s_task)));
        Assert.Equal((TaskPhase.FirstBoot, true), (begun.Phase, begun.Installed));

        TaskRow first = Row("install", phase: TaskPhase.FirstBoot, parameters: profile);
        Assert.Equal(Step.Nothing, kind.OnConnected(first, Hello(NodeRole.Slave, "new", active: true, installId: s_task)));
        Assert.Equal(Step.Nothing, kind.OnTime(first, TimeSpan.FromMinutes(69), null));
        Assert.Equal((TaskState.Succeeded, ""), End(kind.OnEnded(first, new TaskEnded(s_task, true, false, "", DiskState.Untouched))));
        Assert.Contains("why", End(kind.OnEnded(first, new TaskEnded(s_task, false, false, "why", DiskState.Untouched))).Note);
        Assert.Contains("cancelled", End(kind.OnEnded(first, new TaskEnded(s_task, false, true, "", DiskState.Untouched))).Note);
        Assert.Contains("has not told", End(kind.OnTime(first, TimeSpan.FromMinutes(71), null)).Note);
        Assert.Contains("NetInst", End(kind.OnConnected(first, Hello(NodeRole.NetInst, "new"))).Note);

        static (TaskState State, string Note) End(Step step)
        {
            Step.Move move = Move(step);
            Assert.Equal((DiskState.Installed, Lifecycle.Installed), (move.Disk, move.Node));
            return (move.State, move.Note);
        }
    }

    [Fact]
    public void NetInst_that_came_back_without_its_task_gets_the_order_again()
    {
        var kind = new InstallKind();
        TaskRow task = Row("install", phase: "writing");
        Assert.Equal(Step.SendOrder, kind.OnConnected(task, Hello(NodeRole.NetInst, "new")));
        Assert.Equal(Step.Nothing, kind.OnConnected(task, Hello(NodeRole.NetInst, "new", active: true)));
    }

    [Fact]
    public void A_staged_NetInst_that_never_came_is_a_failure_with_the_disk_untouched()
    {
        Step.Move failed = Move(new InstallKind()
            .OnConnected(Row("install", phase: TaskPhase.Staging, bootIdBefore: "old"), Hello(NodeRole.Slave, "new")));
        Assert.Equal((TaskState.Failed, DiskState.Untouched), (failed.State, failed.Disk));
    }

    [Theory]
    [InlineData(DiskState.Untouched, 1, TaskState.Failed, null)]
    [InlineData(DiskState.Unbootable, 1, TaskState.Waiting, null)]
    [InlineData(DiskState.Unbootable, 2, TaskState.Waiting, null)]
    [InlineData(DiskState.Unbootable, 3, TaskState.Failed, Lifecycle.Unbootable)]
    public void A_failed_installation_is_tried_again_only_where_the_disk_was_begun(DiskState disk, int attempts, TaskState expected,
        Lifecycle? node)
    {
        Step.Move move = Move(new InstallKind()
            .OnEnded(Row("install", attempts: attempts), new TaskEnded(s_task, false, false, "why", disk)));
        Assert.Equal((expected, "why", disk, node), (move.State, move.Cause, move.Disk, move.Node));
    }

    [Fact]
    public void An_installation_that_failed_for_good_is_not_tried_again()
    {
        Step.Move move = Move(new InstallKind()
            .OnEnded(Row("install"), new TaskEnded(s_task, false, false, "why", DiskState.Unbootable, Final: true)));
        Assert.Equal((TaskState.Failed, DiskState.Unbootable, Lifecycle.Unbootable), (move.State, move.Disk, move.Node));
    }

    [Fact]
    public void A_cancelled_installation_tells_what_it_left_on_the_disk()
    {
        Step.Move move = Move(new InstallKind().OnEnded(Row("install"), new TaskEnded(s_task, false, true, "", DiskState.Unbootable)));
        Assert.Equal((TaskState.Cancelled, DiskState.Unbootable, Lifecycle.Unbootable), (move.State, move.Disk, move.Node));
    }

    [Fact]
    public void An_update_of_a_slot_has_succeeded_once_the_new_system_was_confirmed_and_not_before()
    {
        var kind = new InstallKind();
        TaskRow trying = Row("install", phase: TaskPhase.Trying, bootIdBefore: "old");
        Assert.Equal(Step.Nothing, kind.OnConnected(trying, Hello(NodeRole.Slave, "old")));
        var confirm = Assert.IsType<Step.Send>(kind.OnConnected(trying, Hello(NodeRole.Slave, "new", installId: s_task, onTrial: true)));
        Assert.Equal((TaskPhase.Confirming, new CommitSlotOrder(), false), (confirm.Phase, confirm.Order, confirm.Installed));

        TaskRow confirming = Row("install", phase: TaskPhase.Confirming, bootIdBefore: "new");
        Assert.Equal(TaskPhase.Confirming, kind.PhaseOf(confirming, LinkState.Slave, "accepted"));
        Assert.Equal(Step.Nothing,
            kind.OnConnected(confirming, Hello(NodeRole.Slave, "new", active: true, installId: s_task, onTrial: true)));
        Assert.Equal(confirm, kind.OnConnected(confirming, Hello(NodeRole.Slave, "new", installId: s_task, onTrial: true)));
        Step.Move done = Move(kind.OnEnded(confirming, new TaskEnded(s_task, true, false, "", DiskState.Installed)));
        Assert.Equal((TaskState.Succeeded, Lifecycle.Installed, DiskState.Installed), (done.State, done.Node, done.Disk));
        // Confirmed, and the word on it was lost with the connection.
        Assert.Equal(done, kind.OnConnected(confirming, Hello(NodeRole.Slave, "new", installId: s_task)));

        const string profile = """{"update":true,"profile":"classroom"}""";
        var first = Assert.IsType<Step.Send>(kind.OnEnded(Row("install", phase: TaskPhase.Confirming, parameters: profile),
            new TaskEnded(s_task, true, false, "", DiskState.Installed)));
        Assert.Equal((TaskPhase.FirstBoot, true, null), (first.Phase, first.Installed, first.Order));
        Assert.Equal(Step.Nothing,
            kind.OnEnded(Row("install", phase: TaskPhase.FirstBoot, parameters: profile),
            new TaskEnded(s_task, true, false, "", DiskState.Installed)));
    }

    [Fact]
    public void A_node_that_came_back_from_a_trial_has_failed_and_is_installed_as_before()
    {
        var kind = new InstallKind();
        foreach (string phase in new[] { TaskPhase.Trying, TaskPhase.Confirming })
        {
            Step.Move back = Move(kind.OnConnected(Row("install", phase: phase, bootIdBefore: "old"),
                Hello(NodeRole.Slave, "again", installId: Guid.NewGuid())));
            Assert.Equal((TaskState.Failed, DiskState.Installed), (back.State, back.Disk));
            Assert.Contains("gone back by itself", back.Cause);
            Assert.Contains("NetInst",
                Move(kind.OnConnected(Row("install", phase: phase, bootIdBefore: "old"), Hello(NodeRole.NetInst, "again"))).Cause);
        }
        // The power went in the middle of the writing: that is begun again.
        Assert.Equal(Step.SendOrder,
            kind.OnConnected(Row("install", phase: "writing", bootIdBefore: "old"), Hello(NodeRole.Slave, "again")));
        Step.Move refused = Move(kind.OnEnded(Row("install", phase: TaskPhase.Confirming),
            new TaskEnded(s_task, false, false, "read-only", DiskState.Untouched)));
        Assert.Equal((TaskState.Failed, DiskState.Installed, null), (refused.State, refused.Disk, refused.Node));

        Assert.Equal((TaskState.Cancelled, DiskState.Installed),
            End(kind.OnEnded(Row("install", phase: TaskPhase.Confirming), new TaskEnded(s_task, false, true, "", DiskState.Untouched))));
        Assert.Equal((TaskState.Cancelled, DiskState.Installed),
            End(kind.OnConnected(Row("install", phase: TaskPhase.Trying, cancelRequested: 1),
                Hello(NodeRole.Slave, "new", installId: s_task, onTrial: true))));

        TaskRow trying = Row("install", phase: TaskPhase.Trying);
        Assert.Equal(Step.Nothing, kind.OnTime(trying, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(29)));
        Assert.Equal((TaskState.TimedOut, null),
            (Move(kind.OnTime(trying, TimeSpan.FromMinutes(31), TimeSpan.FromMinutes(31))).State,
            Move(kind.OnTime(trying, TimeSpan.FromMinutes(31), TimeSpan.FromMinutes(31))).Node));
        Assert.Equal(TaskState.TimedOut,
            Move(kind.OnTime(Row("install", phase: TaskPhase.Confirming), TimeSpan.FromMinutes(11), null)).State);

        static (TaskState, DiskState?) End(Step step) => (Move(step).State, Move(step).Disk);
    }

    private static Step.Move Move(Step step) => Assert.IsType<Step.Move>(step);

    internal static TaskRow Row(string kind, string phase = "", int attempts = 1, string? bootIdBefore = null, string parameters = "{}",
        long cancelRequested = 0) => new()
        {
            Id = s_task.ToString(),
            JobId = Guid.NewGuid().ToString(),
            NodeId = "node-1",
            Kind = kind,
            Parameters = parameters,
            StateText = nameof(TaskState.Running),
            Phase = phase,
            Cause = "",
            Attempts = attempts,
            CancelRequested = cancelRequested,
            BootIdBefore = bootIdBefore,
            CreatedAt = 0,
            PhaseAt = 0,
        };

    private static Hello Hello(NodeRole role, string bootId, bool active = false, Guid? installId = null, bool onTrial = false) =>
        new(role, "test", bootId, installId,
        Support.SimulatedNode.InventoryOf(NodeId.Parse("node-1"), "arm64"), new Health(1, 0, 0, null, null), active ? [s_task] : [],
        onTrial);
}
