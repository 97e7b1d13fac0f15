using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>Updates of a Pi's EEPROM that are cancelled, take too long, or are broken off with their Slave.</summary>
public sealed class FirmwareInterruptionTests : FirmwareTest
{
    [Fact]
    public async Task A_cancellation_waits_for_the_updater_and_takes_back_what_it_has_staged()
    {
        _pi.Write("is-slow", "");
        using var cancel = new CancellationTokenSource();
        Task<Ending?> running = OrderAsync(cancellation: cancel.Token);
        await LoopbackSlave.UntilAsync(() => _pi.Calls.Contains("-a"));
        await cancel.CancelAsync();
        File.Delete(_pi.At("is-slow"));
        Assert.Null(await running);
        Assert.Equal((true, "what was staged is taken back"), (Outcome.Cancelled, Outcome.Note));
        Assert.Equal([Look, "-b", "-a", "-r"], _pi.Calls);
        Assert.False(_pi.IsStaged);
    }

    [Fact]
    public async Task A_cancellation_that_comes_after_the_EEPROM_was_written_says_so()
    {
        _pi.Write("is-slow", "").Write("has-flashrom", "");
        using var cancel = new CancellationTokenSource();
        Task<Ending?> running = OrderAsync(cancellation: cancel.Token, mayWriteDirectly: true);
        await LoopbackSlave.UntilAsync(() => _pi.Calls.Contains("-a"));
        await cancel.CancelAsync();
        File.Delete(_pi.At("is-slow"));
        Assert.Null(await running);
        Assert.Equal((true, "the new firmware is written already, and runs after the next restart"), (Outcome.Cancelled, Outcome.Note));
        Assert.Equal([Look, "-b", "-a"], _pi.Calls);
    }

    [Fact]
    public async Task A_cancellation_before_anything_is_staged_leaves_nothing_to_take_back()
    {
        _pi.Program("vcgencmd", $"#!/bin/sh\ntouch {_pi.At("asked")}\nexec sleep 60\n");
        using var cancel = new CancellationTokenSource();
        Task<Ending?> running = OrderAsync(cancellation: cancel.Token);
        await LoopbackSlave.UntilAsync(() => File.Exists(_pi.At("asked")));
        await cancel.CancelAsync();
        Assert.Null(await running);
        Assert.True(Outcome.Cancelled);
        Assert.Equal([Look, "-b"], _pi.Calls);
    }

    [Fact]
    public async Task A_firmware_that_does_not_answer_is_a_supply_that_cannot_be_checked()
    {
        _pi.Program("vcgencmd", "#!/bin/sh\necho throttled=0x0; exec sleep 60\n");
        await RefusedAsync("the board's supply cannot be checked");
        Assert.Contains(Lines(), line => line == "vcgencmd did not answer within 10 s");
    }

    [Fact]
    public async Task After_the_grace_all_is_looked_at_again()
    {
        _pi.Program("loginctl", "#!/bin/sh\necho ' 3 1000 ada seat0 tty1'\n")
            .Program("wall", $"#!/bin/sh\necho 0x50000 >{_pi.At("throttled")}\n");
        Assert.Null(await OrderAsync(warning: new UserWarning(1, "")));
        Assert.Contains("has been too low since the board was started (throttled=0x50000)", Outcome.Cause);
        Assert.Equal([Look, "-b"], _pi.Calls);
        List<LinkMessage> messages = Messages();
        Assert.Equal("warning-users", messages.OfType<TaskProgress>().Last().Phase);
        Assert.Contains(messages.OfType<LogLines>().SelectMany(l => l.Lines), line =>
            line.StartsWith("power: throttled=0x0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_Slave_that_was_restarted_between_staging_and_the_restart_looks_and_stages_again()
    {
        Assert.NotNull(await OrderAsync());
        TaskRunner next = Runner("boot-1");
        await next.EndLeftoversAsync();
        Assert.False(next.AnswerFromMemory(_task));
        Assert.NotNull(await OrderAsync());
        Assert.Equal([Look, "-b", "-a", Look, "-b", "-a"], _pi.Calls);
        _pi.Start();
        Assert.True(Runner("boot-2").AnswerFromMemory(_task));
        Assert.True(Outcome.Succeeded);
    }

    [Fact]
    public async Task A_program_that_only_looks_is_ended_when_the_tasks_time_is_over()
    {
        _pi.Program("rpi-eeprom-update", $"#!/bin/sh\ntouch {_pi.At("asked")}\nexec sleep 60\n");
        // The time between the order and the first command.
        int looks = 0;
        Assert.Null(await OrderAsync(clock: new LeapingClock(() => ++looks > 1)));
        Assert.Equal((true, "rpi-eeprom-update took longer than its time-out and was ended"), (Outcome.TimedOut, Outcome.Cause));
    }

    [Fact]
    public async Task A_program_that_writes_is_not_ended_when_the_tasks_time_is_over()
    {
        _pi.Write("is-slow", "");
        Task<Ending?> running = OrderAsync(clock: new LeapingClock(() => _pi.Calls.Contains("-b")));
        await LoopbackSlave.UntilAsync(() => _pi.Calls.Contains("-a"));
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, s_end);
        Assert.False(running.IsCompleted);
        File.Delete(_pi.At("is-slow"));
        Assert.Equal("reboot", (await running)!.Goodbye);
        Assert.True(_pi.IsStaged);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Restarts_by_others_are_held_back_while_it_is_staged_where_logind_can_do_that(bool canInhibit)
    {
        string log = _pi.At("inhibited");
        _pi.Program("systemd-inhibit",
            $"#!/bin/sh\necho \"$*\" >>{log}\n{(canInhibit ? "" : "exit 1")}\nwhile [ \"${{1#--}}\" != \"$1\" ]; do shift; done\nexec " +
                "\"$@\"\n");
        Assert.NotNull(await OrderAsync());
        Assert.True(_pi.IsStaged);
        const string guard = "--what=shutdown --mode=block --who=Bootstrap --why=The boot firmware of this board is being updated";
        string[] expected = canInhibit ? [$"{guard} true", $"{guard} {_pi.Bin}/rpi-eeprom-update -a"] : [$"{guard} true"];
        Assert.Equal(expected, await File.ReadAllLinesAsync(log, s_end));
        Assert.Equal(!canInhibit,
            Lines().Any(line => line.StartsWith("restarts that others ask for are not held back", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_a_Slave_that_was_killed_left_writing_is_waited_for_and_nothing_is_done_beside_it()
    {
        _pi.Write("is-slow", "");
        // Its clock stands as when its Slave is killed: what is on the disk and the process are left.
        using var lives = new ManualResetEventSlim(initialState: true);
        Task<Ending?> killed = OrderAsync(clock: new LeapingClock(() =>
        {
            lives.Wait(s_end);
            return false;
        }));
        await LoopbackSlave.UntilAsync(() => _pi.Calls.Contains("-a") && new TaskJournal(Tasks).Find(_task)?.Command is { IsWhole: true });
        CommandTrace first = new TaskJournal(Tasks).Find(_task)!.Command!;
        lives.Reset();

        // A second one that is killed while it waits, and a third.
        await RestartedAsync(new RebootOrder(null), Guid.NewGuid(), isKilled: true);
        await RestartedAsync(new FirmwareOrder(null, false), _task, isKilled: true);
        Assert.True(await CommandProcess.IsRunningAsync(first));
        Task<Ending?> next = await RestartedAsync(new FirmwareOrder(null, false), _task, isKilled: false);
        Assert.Equal([Look, "-b", "-a"], _pi.Calls);
        Assert.False(_pi.IsStaged);

        File.Delete(_pi.At("is-slow"));
        Assert.Equal("reboot", (await next)!.Goodbye);
        Assert.False(await CommandProcess.IsRunningAsync(first));
        Assert.Equal([Look, "-b", "-a", Look, "-b", "-a"], _pi.Calls);
        Assert.True(_pi.IsStaged);
        lives.Set();
        await killed;
    }

    [Fact]
    public async Task What_a_Slave_that_was_killed_left_looking_is_ended()
    {
        _pi.Program("vcgencmd",
            $"#!/bin/sh\n[ ! -e {_pi.At("asked")} ] || {{ echo throttled=0x0; exit; }}\ntouch {_pi.At("asked")}\nexec sleep 60\n");
        Task<Ending?> abandoned = OrderAsync(isChecked: true);
        // It is asked after all others.
        await LoopbackSlave.UntilAsync(() =>
            File.Exists(_pi.At("asked")) && new TaskJournal(Tasks).Find(_task)!.Command is { } last && Linux.Kill(last.Process, 0) == 0);
        CommandTrace first = new TaskJournal(Tasks).Find(_task)!.Command!;
        await Runner("boot-1").EndLeftoversAsync();
        Assert.NotNull(await abandoned);
        Assert.DoesNotContain(Lines(), line => line.StartsWith("vcgencmd did not answer", StringComparison.Ordinal));
        Assert.False(await CommandProcess.IsRunningAsync(first));
    }
}
