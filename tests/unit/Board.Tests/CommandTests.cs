using System.Text;
using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>Commands of tasks, and what becomes of what they say.</summary>
public sealed class CommandTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("commands-").FullName;
    private readonly NodeIdentity _identity = TestIdentity.Create("mac-525400000001");

    public void Dispose()
    {
        _identity.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("one\ntwo\r\n\nlast", "one|two||last")]
    [InlineData(" 10%\r 50%\r100%\ndone\n", "100%|done")]
    [InlineData("\e[1;31mred\e[0m \e(Bplain\a\b\n", "red plain")]
    [InlineData("\e]0;title\aone\e]8;;http://x\e\\ two\e[?25h\n", "one two")]
    [InlineData("a\tb\n", "a\tb")]
    public void Output_becomes_lines_without_what_only_a_terminal_understands(string output, string lines) =>
        Assert.Equal(lines.Split('|'), Lines(Encoding.UTF8.GetBytes(output), 3));

    [Fact]
    public void A_character_that_comes_in_pieces_stays_one_and_broken_ones_are_marked()
    {
        byte[] output = [.. "Grüße 🦊"u8, 0xff, (byte)'\n', 0xf0, 0x9f];
        for (int piece = 1; piece <= output.Length; piece++)
        {
            Assert.Equal(["Grüße 🦊\ufffd", "\ufffd"], Lines(output, piece));
        }
    }

    [Fact]
    public void A_long_line_is_cut_between_characters_and_says_so()
    {
        string line = new string('x', OutputLines.MaximumLength - 1) + string.Concat(Enumerable.Repeat("🦊", 500_000));
        string cut = Assert.Single(Lines(Encoding.UTF8.GetBytes(line), 4096));
        Assert.Equal($"{line[..(OutputLines.MaximumLength - 1)]} … (1000000 characters more)", cut);
        Assert.True(cut.Length < Outbox.MaximumLineLength);
    }

    [Fact]
    public void Of_a_flood_the_first_lines_a_few_a_second_and_the_last_are_let_through()
    {
        var clock = new StandingClock();
        List<string> lines = [];
        var rate = new OutputRate(lines.Add, clock);
        for (int i = 0; i < 10_000; i++)
        {
            rate.Add($"{i}");
        }
        Assert.Equal(Enumerable.Range(0, OutputRate.Burst).Select(i => $"{i}"), lines);
        clock.Pass(TimeSpan.FromSeconds(2));
        rate.Add("later");
        int leftOut = 10_000 - OutputRate.Burst - OutputRate.Tail;
        Assert.Equal($"… {leftOut} lines left out: no more than {OutputRate.PerSecond} a second are kept", lines[OutputRate.Burst]);
        Assert.Equal(["9998", "9999", "later"], lines[^3..]);
        rate.Add("latest");
        rate.End();
        Assert.Equal("latest", lines[^1]);
    }

    [Fact]
    public async Task A_task_is_not_told_to_have_ended_before_its_last_line()
    {
        var outbox = new Outbox();
        TaskEnded ended = await RunAsync(outbox, Guid.NewGuid(), Order("seq 450"), s_end);
        Assert.True(ended.Succeeded);
        List<string> lines = [];
        for (LinkMessage? message = outbox.Next(); message is not TaskEnded; message = outbox.Next())
        {
            lines.AddRange((message as LogLines)?.Lines ?? []);
            outbox.Sent();
        }
        Assert.Equal(Enumerable.Range(1, 450).Select(i => $"{i}"), lines);
    }

    [Fact]
    public async Task A_command_whose_Slave_was_killed_is_ended_by_the_next_one_and_reported_as_interrupted()
    {
        var id = Guid.NewGuid();
        string sign = Path.Combine(_folder, "sign");
        using var never = new CancellationTokenSource();
        // Nobody waits for it any more, as when its Slave is killed: what is on the disk and the process are left.
        Task abandoned = Runner(new Outbox(), "boot-1")
            .RunAsync(new StartTask(id, Order($"sleep 3600 & echo $$ $! >{sign}.new; mv {sign}.new {sign}; wait")),
            new ApplianceEndpoint(System.Net.IPAddress.Loopback, 1), new Uri("http://127.0.0.1:1"), never.Token);
        await LoopbackSlave.UntilAsync(() => File.Exists(sign) && new TaskJournal(Tasks).Find(id)?.Command is not null);
        int[] processes = [.. (await File.ReadAllTextAsync(sign, s_end)).Split(' ').Select(int.Parse)];
        var outbox = new Outbox();
        TaskRunner next = Runner(outbox, "boot-1");
        await next.EndLeftoversAsync();
        await abandoned.WaitAsync(s_end);
        await LoopbackSlave.UntilAsync(() =>
            processes.All(p => Linux.Kill(p, 0) != 0 || File.ReadAllText($"/proc/{p}/stat").Contains(") Z ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("boot-1", "not begun again")]
    [InlineData("boot-2", "the machine was restarted")]
    public async Task A_command_that_was_begun_and_has_no_end_is_never_begun_again(string bootId, string cause)
    {
        var id = Guid.NewGuid();
        new TaskJournal(Tasks).Put(new TaskRecord(id, false, "boot-1", null, Once: true, new CommandTrace(null, 0, 0)));
        var outbox = new Outbox();
        TaskRunner runner = Runner(outbox, bootId);
        await runner.EndLeftoversAsync();
        Assert.True(runner.AnswerFromMemory(id));
        var ended = Assert.IsType<TaskEnded>(outbox.Next());
        Assert.False(ended.Succeeded);
        Assert.Contains(cause, ended.Cause);
    }

    [Theory]
    [InlineData("/srv/none/here")]
    [InlineData("/etc/hostname")]
    public async Task A_folder_that_is_not_there_is_named(string folder)
    {
        TaskEnded ended = await RunAsync(new Outbox(), Guid.NewGuid(), Order("true") with { Folder = folder }, s_end);
        Assert.EndsWith($"there is no folder {folder} on this node", ended.Cause, StringComparison.Ordinal);
        Assert.DoesNotContain("setsid", ended.Cause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kind":"dream","of":"sheep"}""")]
    [InlineData("""{"kind":"run2","command":["true"]}""")]
    public async Task An_order_that_only_a_newer_program_knows_fails_and_is_told_so(string order)
    {
        var id = Guid.NewGuid();
        var start = Assert.IsType<StartTask>(System.Text.Json.JsonSerializer.Deserialize(
            $$"""{"type":"start-task","taskId":"{{id}}","order":{{order}}}""", ProtocolJson.Default.LinkMessage));
        TaskEnded ended = await RunAsync(new Outbox(), id, start.Order, s_end);
        Assert.False(ended.Succeeded);
        Assert.Equal("the Slave cannot do what only a newer program knows", ended.Cause);
    }

    [Fact]
    public async Task An_order_that_was_taken_before_and_is_not_remembered_is_not_begun()
    {
        string sign = Path.Combine(_folder, "sign");
        TaskEnded ended = await RunAsync(new Outbox(), Guid.NewGuid(), Order($"touch {sign}") with { Again = true }, s_end);
        Assert.Contains("does not remember", ended.Cause);
        Assert.False(File.Exists(sign));
    }

    [Fact]
    public async Task A_process_that_only_has_the_number_of_an_old_command_is_left_alone()
    {
        using var stranger = System.Diagnostics.Process.Start("setsid", ["sleep", "3600"]);
        await LoopbackSlave.UntilAsync(() => File.ReadAllText($"/proc/{stranger.Id}/comm").Trim() == "sleep");
        await CommandProcess.EndAsync(new CommandTrace(null, stranger.Id, 1), TimeProvider.System);
        Assert.Equal(0, Linux.Kill(stranger.Id, 0));
        stranger.Kill();
        await stranger.WaitForExitAsync(s_end);
    }

    private string Tasks => Path.Combine(_folder, "tasks");

    private static RunOrder Order(string shell) =>
        new(["/bin/sh", "-c", shell], Environment.UserName, "/", new Dictionary<string, string>(), 60, Again: false);

    private TaskRunner Runner(Outbox outbox, string bootId) => new(
        new TaskJournal(Tasks), bootId, new NetInstStaging(_folder, _folder, () => _identity), new SystemPower(), outbox, _ =>
        { }, TimeProvider.System);

    private async Task<TaskEnded> RunAsync(Outbox outbox, Guid id, TaskOrder order, CancellationToken cancellation)
    {
        Assert.Null(await Runner(outbox, "boot-1").RunAsync(new StartTask(id, order),
            new ApplianceEndpoint(System.Net.IPAddress.Loopback, 1), new Uri("http://127.0.0.1:1"), cancellation));
        return new TaskJournal(Tasks).Find(id)!.Outcome!;
    }

    private static List<string> Lines(byte[] output, int piece)
    {
        List<string> lines = [];
        var splitter = new OutputLines(lines.Add);
        foreach (byte[] bytes in output.Chunk(piece))
        {
            splitter.Add(bytes);
        }
        splitter.End();
        return lines;
    }

    private sealed class StandingClock : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan time) => _now += time.Ticks;
    }
}
