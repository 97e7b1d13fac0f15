using System.Net;
using System.Text.Json;
using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Agent.Slots;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>Orders for slots, with a script in the place of the program that works on the disk.</summary>
public sealed class SlotTaskTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly FixtureRoot _root = new();
    private readonly NodeIdentity _identity = TestIdentity.Create("mac-525400000001");
    private readonly Outbox _outbox = new();
    private readonly List<LinkMessage> _sent = [];
    private readonly Power _power = new();
    private readonly Guid _id = Guid.NewGuid();

    public SlotTaskTests()
    {
        // A Pi whose root is the fifth of four partitions or more.
        for (int i = 2; i < 7; i++)
        {
            _root.File($"sys/devices/mmcblk0/mmcblk0p{i}/partition", $"{i}\n");
        }
        _root.Link("sys/dev/block/179:5", "../../devices/mmcblk0/mmcblk0p5")
            .File("proc/self/mountinfo", "22 1 179:5 / / rw - ext4 /dev/root rw\n")
            .File("proc/device-tree/chosen/bootloader/tryboot", [0, 0, 0, 0]).File("proc/sys/kernel/osrelease", "6.6.31+rpt-rpi-v8\n");
    }

    public void Dispose()
    {
        _root.Dispose();
        _identity.Dispose();
    }

    private string Config => Directory.CreateDirectory(Path.Combine(_root.Folder, "etc/bootstrap")).FullName;

    private static UpdateSlotOrder Update => new(
        Digest.Of("image"u8), new NodeConfiguration("node-1", [], new RemoteFile("/slave", Digest.Of("x"u8), 1), [], "default"), ["/home"]);

    /// <param name="script">What the program does; its arguments are the Slave's.</param>
    /// <param name="answer">What it says of the disk.</param>
    private async Task<SlotWork> SlotsAsync(string script, string answer = """echo '@status {"choice":"autoboot","slot":"a"}'""")
    {
        string program = Path.Combine(_root.Folder, "program");
        await File.WriteAllTextAsync(program, $$"""
            if [ "$1" = --slots ]; then {{answer}}; exit 0; fi
            {{script}}
            """, s_end);
        string state = Directory.CreateDirectory(Path.Combine(_root.Folder, "state")).FullName;
        var slots = new SlotWork(Config, state, new NodeSystem(_root.Folder, Path.Combine(_root.Folder, "bin"), ["/bin/sh", program]), _ =>
            { }, TimeProvider.System);
        await slots.LookAsync(s_end);
        return slots;
    }

    private TaskRunner Runner(SlotWork? slots, string bootId = "boot-1", TimeProvider? clock = null) =>
        new(new TaskJournal(Path.Combine(_root.Folder, "tasks")), bootId,
        new NetInstStaging(_root.Folder, _root.Folder, () => _identity), _power, _outbox, _ =>
        { }, clock ?? TimeProvider.System, slots: slots);

    private Task<Ending?> RunAsync(SlotWork? slots, TaskOrder order, TimeProvider? clock = null) =>
        RunUntilAsync(slots, order, CancellationToken.None, clock);

    private async Task<Ending?> RunUntilAsync(SlotWork? slots, TaskOrder order, CancellationToken leaving, TimeProvider? clock = null)
    {
        Ending? end = await Runner(slots, clock: clock).RunAsync(
            new StartTask(_id, order), new ApplianceEndpoint(IPAddress.Loopback, 8444), new Uri("http://127.0.0.1:8080"), s_end, leaving);
        Drain();
        return end;
    }

    private void Drain()
    {
        while (_outbox.Next() is { } message)
        {
            _outbox.Sent();
            _sent.Add(message);
        }
    }

    private TaskEnded Ended() => Assert.IsType<TaskEnded>(_sent.Last(message => message is not LogLines));

    [Fact]
    public async Task An_update_is_written_by_the_program_and_then_tried_with_the_tryboot_flag()
    {
        SlotWork slots = await SlotsAsync(
            $"echo \"$1 $2 $4 $5\" >{_root.Folder}/words; cp $3 {_root.Folder}/order; stat -c %a $3; echo '@phase writing 5 10'; echo " +
            $"'@phase writing 10 10'");
        Assert.Equal(new SlotStatus(SlotChoice.Autoboot, "a"), slots.Status);
        Ending? end = await RunAsync(slots, Update);
        Assert.Equal("reboot", end!.Goodbye);
        end.Do();
        Assert.Equal(StagedStart.TryBoot, _power.Restarted);
        Assert.Equal($"--update-slot {Config} 127.0.0.1:8444 http://127.0.0.1:8080/\n",
            await File.ReadAllTextAsync(Path.Combine(_root.Folder, "words"), s_end));
        var start = (StartTask)JsonSerializer.Deserialize(
            await File.ReadAllBytesAsync(Path.Combine(_root.Folder, "order"), s_end), ProtocolJson.Default.LinkMessage)!;
        Assert.Equal((_id, Update.Image), (start.TaskId, ((UpdateSlotOrder)start.Order).Image));
        Assert.Empty(Directory.GetFiles(Path.Combine(_root.Folder, "state")));
        Assert.Equal(["600"], _sent.OfType<LogLines>().SelectMany(lines => lines.Lines));
        Assert.Equal("trying", Assert.IsType<TaskProgress>(_sent.Last(message => message is not LogLines)).Phase);
    }

    [Theory]
    [InlineData("autoboot", StagedStart.TryBoot, "--update-slot")]
    [InlineData("efi", StagedStart.Restart, "--update-slot --try-slot --try-slot")]
    public async Task A_restart_that_did_not_come_is_done_again_and_nothing_is_written_for_it(
        string choice, StagedStart start, string words)
    {
        SlotWork slots = await SlotsAsync($"echo $1 >>{_root.Folder}/words", $$"""echo '@status {"choice":"{{choice}}","slot":"a"}'""");
        // The Slave was ended, or could not restart the machine.
        Assert.NotNull(await RunAsync(slots, Update));
        Assert.False(Runner(slots).AnswerFromMemory(_id, 0));
        (await RunAsync(slots, Update))!.Do();
        Assert.Equal(start, _power.Restarted);
        Assert.Equal(words, string.Join(' ', await File.ReadAllLinesAsync(Path.Combine(_root.Folder, "words"), s_end)));
        Assert.True(Runner(slots, "boot-2").AnswerFromMemory(_id, 0));
    }

    private const string Efi = """echo '@status {"choice":"efi","slot":"a"}'""";

    [Fact]
    public async Task The_firmware_of_a_PC_is_told_by_a_program_of_its_own_when_all_is_written()
    {
        string words = Path.Combine(_root.Folder, "words");
        SlotWork slots = await SlotsAsync($"echo $1 >>{words}", Efi);
        Ending? end = await RunAsync(slots, Update);
        end!.Do();
        Assert.Equal(StagedStart.Restart, _power.Restarted);
        Assert.Equal(["--update-slot", "--try-slot"], await File.ReadAllLinesAsync(words, s_end));
    }

    [Fact]
    public async Task Where_the_firmware_of_a_PC_takes_no_word_the_update_fails_and_the_machine_is_not_restarted()
    {
        SlotWork slots = await SlotsAsync("if [ $1 = --try-slot ]; then echo '@cause no room for variables'; exit 1; fi", Efi);
        Assert.Null(await RunAsync(slots, Update));
        Assert.Equal(new TaskEnded(_id, false, false, "no room for variables", DiskState.Installed), Ended());
    }

    [Fact]
    public async Task A_system_that_comes_back_from_a_trial_says_so_and_does_not_try_again()
    {
        SlotWork slots = await SlotsAsync("true");
        Assert.NotNull(await RunAsync(slots, Update));
        Assert.True(Runner(slots, "boot-2").AnswerFromMemory(_id, 0));
        Drain();
        Assert.Equal((false, DiskState.Installed), (Ended().Succeeded, Ended().Disk));
        Assert.Contains("gone back to the one before", Ended().Cause);
    }

    [Fact]
    public async Task A_failure_tells_its_whole_cause_and_what_the_disk_is()
    {
        string cause = string.Concat(Enumerable.Repeat("a long cause ", 60)).Trim();
        SlotWork slots = await SlotsAsync(
            $"echo '@cause {cause[..300]}'; echo '@cause {cause[300..600]}'; " +
            $"echo '@cause {cause[600..]}'; echo '@end Installed True'; exit 1");
        Assert.Null(await RunAsync(slots, Update));
        Assert.Equal(new TaskEnded(_id, false, false, cause, DiskState.Installed, Final: true), Ended());
        Assert.Null(_power.Restarted);
    }

    [Fact]
    public async Task An_update_whose_Slave_was_stopped_in_the_middle_is_begun_again_and_nothing_is_left()
    {
        SlotWork slots = await SlotsAsync($"echo $$ >{_root.Folder}/pid; sleep 300");
        using var leaving = new CancellationTokenSource();
        Task<Ending?> running = RunUntilAsync(slots, Update, leaving.Token);
        string pid = Path.Combine(_root.Folder, "pid");
        while (!File.Exists(pid) || new FileInfo(pid).Length == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, s_end);
        }
        await leaving.CancelAsync();
        Assert.Null(await running);
        Assert.False(Directory.Exists($"/proc/{(await File.ReadAllTextAsync(pid, s_end)).Trim()}"));
        Assert.DoesNotContain(_sent, message => message is TaskEnded);
        Assert.False(Runner(slots).AnswerFromMemory(_id, 0));
        Assert.False(Runner(slots, "boot-2").AnswerFromMemory(_id, 0));
    }

    [Fact]
    public async Task A_commit_is_done_whenever_it_is_ordered_and_is_no_answer_to_another_order_of_the_task()
    {
        SlotWork slots = await SlotsAsync($"echo $1 >>{_root.Folder}/words");
        for (int i = 0; i < 2; i++)
        {
            Assert.Null(await RunAsync(slots, new CommitSlotOrder()));
            Assert.Equal(new TaskEnded(_id, true, false, "", DiskState.Installed), Ended());
        }
        Assert.Equal(["--commit-slot", "--commit-slot"], await File.ReadAllLinesAsync(Path.Combine(_root.Folder, "words"), s_end));
        Assert.False(Runner(slots).AnswerFromMemory(_id, 0));
    }

    [Theory]
    [InlineData("program")]
    [InlineData("systemctl")]
    public async Task A_commit_that_has_begun_is_not_broken_off_by_a_cancellation_nor_by_the_Slaves_end(string slow)
    {
        string begun = Path.Combine(_root.Folder, "begun"), systemctl = Path.Combine(_root.Folder, "bin/systemctl");
        string Wait(string who) => who == slow ? $"echo begun >{begun}; sleep 1" : "true";
        _root.File("bin/systemctl", $"#!/bin/sh\necho $1 >{_root.Folder}/reloaded\n{Wait("systemctl")}\n");
        File.SetUnixFileMode(systemctl, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        SlotWork slots = await SlotsAsync(Wait("program"));
        using var stop = new CancellationTokenSource();
        Task<Ending?> running = Runner(slots).RunAsync(new StartTask(_id, new CommitSlotOrder()),
            new ApplianceEndpoint(IPAddress.Loopback, 8444), new Uri("http://127.0.0.1:8080"), stop.Token, stop.Token);
        while (!File.Exists(begun))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, s_end);
        }
        await stop.CancelAsync();
        Assert.Null(await running);
        Drain();
        Assert.Equal(new TaskEnded(_id, true, false, "", DiskState.Installed), Ended());
        Assert.Equal("daemon-reload\n", await File.ReadAllTextAsync(Path.Combine(_root.Folder, "reloaded"), s_end));
    }

    [Fact]
    public async Task A_commit_that_was_broken_off_is_ended_when_the_Slave_starts()
    {
        SlotWork slots = await SlotsAsync($"echo $1 >>{_root.Folder}/words; rm {Config}/slot-trial");
        await slots.FinishCommitAsync();
        _root.File("etc/bootstrap/slot-trial", "");
        await slots.FinishCommitAsync();
        Assert.False(slots.IsOnTrial);
        Assert.Equal(["--finish-slot"], await File.ReadAllLinesAsync(Path.Combine(_root.Folder, "words"), s_end));
    }

    [Fact]
    public async Task A_commit_has_a_time_of_its_own_and_one_that_takes_longer_says_how_long_it_had()
    {
        SlotWork slots = await SlotsAsync("sleep 300");
        Assert.Null(await RunAsync(slots, new CommitSlotOrder(), new HastyLimit(SlotWork.CommitLimit)));
        Assert.Equal("the program that works on the slot took longer than 10 minutes and was ended", Ended().Cause);
        Assert.True(Ended().TimedOut);
    }

    [Fact]
    public async Task Lines_that_look_like_the_programs_words_and_are_none_spoil_nothing()
    {
        SlotWork slots = await SlotsAsync(
            "echo '@end x y'; echo '@end 17 True'; echo '@phase writing five 10'; echo '@status {'; echo '@cause no room'; exit 1");
        Assert.Null(await RunAsync(slots, Update));
        Assert.Equal(new TaskEnded(_id, false, false, "no room", DiskState.Untouched), Ended());
        Assert.DoesNotContain(_sent, message => message is TaskProgress);
    }

    [Theory]
    [InlineData("cannot keep /home/a\n@end Untouched True", "cannot keep /home/a @end Untouched True")]
    [InlineData("/a\r@b\e[1m", "/a @b [1m")]
    [InlineData("@phase writing 1 2", " @phase writing 1 2")]
    [InlineData("an ordinary line", "an ordinary line")]
    public void No_name_of_a_file_makes_a_word_of_the_programs(string text, string line) => Assert.Equal(line, SlotProgram.OneLine(text));

    [Fact]
    public async Task A_disk_without_a_second_slot_refuses()
    {
        File.Delete(Path.Combine(_root.Folder, "proc/device-tree/chosen/bootloader/tryboot"));
        SlotWork slots = await SlotsAsync("exit 9");
        Assert.Null(slots.Status);
        Assert.Null(await RunAsync(slots, Update));
        Assert.Equal("this node's disk has no second slot that could be tried", Ended().Cause);
        Assert.Null(await RunAsync(null, Update));
        Assert.Equal("the Slave cannot update the slot that is not in use", Ended().Cause);
    }

    [Theory]
    [InlineData("echo '@status {\"choice\":\"autoboot\",\"slot\":\"a\"}'", true)]
    [InlineData("echo this disk has one slot", false)]
    [InlineData("echo '@cause it cannot be read'; exit 1", null)]
    [InlineData("exit 1", null)]
    public async Task That_the_disk_has_one_slot_is_known_only_where_the_program_has_said_so(string answer, bool? hasSlots)
    {
        Assert.Equal(hasSlots, (await SlotsAsync("true", answer)).HasSlots);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(null)]
    public async Task NetInst_on_a_disk_with_two_slots_is_staged_without_tryboot_and_told_which_system_ran(bool? hasSlots)
    {
        _root.File("boot/firmware/config.txt", "arm_64bit=1\n").File("proc/cmdline", "root=PARTUUID=1a2b3c4d-05\n");
        await using var server = new Installer.Tests.TestServer(new() { ["/kernel"] = [1], ["/initramfs"] = [2] });
        using var store = new StoreClient(server.Address, _ => { }, TimeProvider.System);
        var order = new StageInstallOrder(
            new RemoteFile("/kernel", Digest.Of([1]), 1), new RemoteFile("/initramfs", Digest.Of([2]), 1), "panic=10");
        var staging = new NetInstStaging(_root.Folder, _root.Folder, () => _identity, () => hasSlots);
        Assert.Equal(StagedStart.Restart, await staging.StageAsync(order, store, new ApplianceEndpoint(IPAddress.Loopback, 8444), s_end));
        Assert.Equal("panic=10 bootstrap.backend=127.0.0.1:8444 bootstrap.root=5\n",
            await File.ReadAllTextAsync(Path.Combine(_root.Folder, "boot/firmware/netinst/cmdline.txt"), s_end));
    }

    /// <summary>One wait, known by its length, is over soon.</summary>
    private sealed class HastyLimit(TimeSpan limit) : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == limit ? TimeSpan.FromMilliseconds(200) : dueTime, period);
    }

    private sealed class Power : ISystemPower
    {
        public StagedStart? Restarted { get; private set; }

        public void Restart(StagedStart start) => Restarted = start;

        public void PowerOff() => throw new NotSupportedException();
    }
}
