using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Jobs.Rollouts;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Http;

namespace Bootstrap.Server.Tests;

/// <summary>Whose turn it is: each decision from tasks, policy and time alone.</summary>
public sealed class RolloutTests
{
    private const long Now = 1_000_000;

    private readonly HashSet<string> _away = [];

    private readonly HashSet<string> _busy = [];

    [Fact]
    public void Without_batches_all_begin_at_once() =>
        Assert.Equal(("0 1 2", "", ""), Decide(new RolloutPolicy(), "hhh"));

    [Theory]
    [InlineData("hhhhh", "0", "", "batch 1 waits for the end of the canary")]
    [InlineData("rhhhh", "", "", "batch 1 waits for the end of the canary")]
    [InlineData("shhhh", "1 2", "", "batch 2 waits for the end of batch 1")]
    [InlineData("ssrhh", "", "", "batch 2 waits for the end of batch 1")]
    [InlineData("sssch", "4", "", "")]
    [InlineData("ssshh", "3 4", "", "")]
    [InlineData("fhhhh", "", "1 2 3 4", "the canary failed on 1 of 1 nodes")]
    [InlineData("thhhh", "", "1 2 3 4", "the canary failed on 1 of 1 nodes")]
    [InlineData("chhhh", "1 2", "", "batch 2 waits for the end of batch 1")]
    [InlineData("sfwhh", "", "2 3 4", "1 of 5 nodes failed, and the roll-out stops after 1")]
    public void The_canary_comes_first_then_batch_after_batch(string states, string begin, string skip, string note) =>
        Assert.Equal((begin, skip, note), Decide(new RolloutPolicy(Canary: 1, Batch: 2), states));

    [Theory]
    [InlineData("3", "sffhhhhhhh", "3 4 5 6 7 8 9")]
    [InlineData("3", "fffhhhhhhh", "")]
    [InlineData("10%", "fhhhhhhhhh", "")]
    [InlineData("11%", "shhhhhhhhh", "1 2 3 4 5 6 7 8 9")]
    [InlineData("11%", "sfhhhhhhhh", "2 3 4 5 6 7 8 9")]
    [InlineData("11%", "sffhhhhhhh", "")]
    public void It_stops_after_so_many_failures_or_such_a_part_of_the_nodes(string stopAfter, string states, string begin)
    {
        (string begun, string skipped, string note) = Decide(new RolloutPolicy(StopAfter: stopAfter), states);
        Assert.Equal((begin, begin.Length == 0), (begun, skipped.Length > 0));
        Assert.Equal(begin.Length == 0, note.EndsWith($"stops after {stopAfter}", StringComparison.Ordinal));
    }

    [Fact]
    public void A_failure_below_the_limit_does_not_hold_the_next_batch() =>
        Assert.Equal(("2 3", "", "batch 3 waits for the end of batch 2"), Decide(new RolloutPolicy(Batch: 2, StopAfter: "2"), "sfhhh"));

    [Fact]
    public void The_next_batch_waits_until_those_that_succeeded_are_connected_unless_that_is_not_wanted()
    {
        _away.Add("node-0");
        Assert.Equal(("", "", "batch 2 waits until 1 of the nodes that were done before are connected again"),
            Decide(new RolloutPolicy(Batch: 2), "sshh"));
        Assert.Equal(("2 3", "", ""), Decide(new RolloutPolicy(Batch: 2, RequireHealthy: false), "sshh"));
        Assert.Equal(("2 3", "", ""), Decide(new RolloutPolicy(Batch: 2), "sshh", kind: "shutdown"));
        Assert.Equal(("3", "", ""), Decide(new RolloutPolicy(Batch: 2, MaximumAtOnce: 2), "ssrh")); // it has begun: no way back
    }

    [Fact]
    public void The_pause_counts_from_the_end_of_the_batch_before()
    {
        var policy = new RolloutPolicy(Batch: 1, PauseBetween: 60);
        Assert.Equal(("", "", "batch 2 begins at 1970-01-01 00:17:39 UTC"), Decide(policy, "sh", endedAt: Now - 1000));
        Assert.Equal(("1", "", ""), Decide(policy, "sh", endedAt: Now - 60_000));
    }

    [Theory]
    [InlineData("hhhhh", "0 3", "at most 2 at once")]
    [InlineData("rhhhh", "3", "at most 2 at once")]
    [InlineData("rrhhh", "", "at most 2 at once")]
    [InlineData("shhsh", "4", "waits until 2 of the nodes are connected and free")]
    public void Never_more_than_so_many_at_once_and_those_that_are_away_or_busy_are_passed_over(string states, string begin, string note)
    {
        _away.Add("node-1");
        _busy.Add("node-2");
        Assert.Equal((begin, "", note), Decide(new RolloutPolicy(MaximumAtOnce: 2), states));
    }

    [Theory]
    [InlineData("hhhhh", "0 3", "at most 20 W at once")]
    [InlineData("rhhhh", "3", "at most 20 W at once")]
    [InlineData("rrhhh", "", "at most 20 W at once")]
    [InlineData("shhsh", "4", "waits until 2 of the nodes are connected and free")]
    public void Never_more_at_once_than_draw_so_many_watts_together(string states, string begin, string note)
    {
        _away.Add("node-1");
        _busy.Add("node-2");
        // Each draws 7 W.
        Assert.Equal((begin, "", note), Decide(new RolloutPolicy(MaximumWatts: 20), states));
    }

    [Fact]
    public void Who_draws_more_than_the_budget_is_at_work_alone() =>
        Assert.Equal(("0", "", "at most 5 W at once"), Decide(new RolloutPolicy(MaximumWatts: 5), "hhh"));

    [Theory]
    [InlineData("network-send", "hhhhh", "0", "each waits until its turn comes")]
    [InlineData("network-send", "rhhhh", "", "each waits until its turn comes")]
    [InlineData("network-latency", "sshhh", "2", "each waits until its turn comes")]
    [InlineData("node-send", "hhhhh", "0 2", "each waits until its turn comes")] // and not 4, which is measured against 0
    [InlineData("node-send", "hhhhhh", "0 2 4", "each waits until its turn comes")]
    [InlineData("node-send", "shshs", "1 3", "")]
    [InlineData("node-send", "hxhx", "0", "each waits until its turn comes")] // 2 takes part, and is measured against
    [InlineData("network-send", "xhh", "1", "each waits until its turn comes")]
    [InlineData("node-latency", "hh", "0", "each waits until its turn comes")]
    [InlineData("sha256", "hhhhh", "0 1 2 3 4", "")]
    public void Who_measures_the_network_has_it_to_himself(string benchmark, string states, string begin, string note) =>
        Assert.Equal((begin, "", note), Decide(
            RolloutPolicy.AllAtOnce, states, kind: "benchmark", parameters: $$"""{"benchmark":"{{benchmark}}"}"""));

    [Fact]
    public void Nobody_is_measured_against_a_node_that_is_away_or_busy()
    {
        _away.Add("node-1");
        _busy.Add("node-4");
        // 0 would be measured against 1, and 3 against 4.
        Assert.Equal(("2", "", "waits until 4 of the nodes are connected and free"), Decide(
            RolloutPolicy.AllAtOnce, "hhhhh", kind: "benchmark", parameters: """{"benchmark":"node-send"}"""));
    }

    [Theory]
    [InlineData("Raspberry Pi 5 Model B", 12)]
    [InlineData("Raspberry Pi 500", 12)]
    [InlineData("Raspberry Pi 4 Model B", 7)]
    [InlineData("Raspberry Pi Compute Module 4S", 7)]
    [InlineData("Raspberry Pi 3 Model B Plus", 6)]
    [InlineData("Raspberry Pi 3 Model B", 4)]
    [InlineData("Raspberry Pi Zero 2 W", 3)]
    [InlineData("Raspberry Pi 9", 15)]
    [InlineData("", 15)]
    public void What_a_board_draws_is_known_by_its_model(string model, double watts) => Assert.Equal(watts, BoardPower.WattsOf(
        new PiRevision(model, "1.0", 1 << 30, "", "")));

    [Fact]
    public void While_it_is_paused_nothing_begins_and_what_was_to_be_tried_again_comes_first_afterwards()
    {
        Assert.Equal(("", "", "paused"), Decide(new RolloutPolicy(), "rHh", paused: true));
        Assert.Equal(("1 2", "", ""), Decide(new RolloutPolicy(), "rHh"));
        Assert.Equal(("1", "", "at most 2 at once"), Decide(new RolloutPolicy(MaximumAtOnce: 2), "rHh"));
        Assert.Equal(("2", "0 3", "1 of 4 nodes failed, and the roll-out stops after 1"),
            Decide(new RolloutPolicy(StopAfter: "1"), "hfHh"));
    }

    [Theory]
    [InlineData(0, 0L, 0)]
    [InlineData(2, 1L, 0)]
    [InlineData(2, 2L, 1)]
    [InlineData(2, 4L, 1)]
    [InlineData(2, 5L, 2)]
    public void Batches_are_counted_behind_the_canary(int canary, long position, int batch) =>
        Assert.Equal(batch, new RolloutPolicy(canary, canary == 0 ? null : 3).BatchOf(position));

    /// <summary>Decides.</summary>
    /// <param name="states">
    /// A letter for each task: held, waiting, running, succeeded, failed, timed out, cancelled, x: skipped; H: held after it had begun.
    /// </param>
    private (string Begin, string Skip, string Note) Decide(
        RolloutPolicy policy, string states, bool paused = false, string kind = "reboot", long endedAt = Now - 1,
        string parameters = "{}")
    {
        var job = new JobRow
        {
            Id = Guid.NewGuid().ToString(),
            Kind = kind,
            Parameters = parameters,
            PausedNumber = paused ? 1 : 0,
            RolloutText = System.Text.Json.JsonSerializer.Serialize(policy, ApiJson.Options),
        };
        TaskRow[] tasks = [.. states.Select((letter, i) => Task(i, letter, endedAt))];
        RolloutStep step = Rollout.Decide(job, tasks, [], Now, node => !_away.Contains(node.ToString()),
            node => !_busy.Contains(node.ToString()), _ => 7);
        return (Positions(step.Begin), Positions(step.Skip), step.Note);
    }

    private static string Positions(IEnumerable<TaskRow> tasks) => string.Join(' ', tasks.Select(t => t.Position));

    private static TaskRow Task(int position, char letter, long endedAt)
    {
        TaskState state = letter switch
        {
            'h' or 'H' => TaskState.Held,
            'w' => TaskState.Waiting,
            'r' => TaskState.Running,
            's' => TaskState.Succeeded,
            'f' => TaskState.Failed,
            't' => TaskState.TimedOut,
            'c' => TaskState.Cancelled,
            'x' => TaskState.Skipped,
            _ => throw new ArgumentOutOfRangeException(nameof(letter)),
        };
        return new TaskRow
        {
            Id = Guid.NewGuid().ToString(),
            JobId = Guid.NewGuid().ToString(),
            NodeId = NodeId.Parse($"node-{position}").ToString(),
            Kind = "reboot",
            StateText = state.ToString(),
            Phase = "",
            Cause = "",
            Parameters = "{}",
            Attempts = 0,
            CancelRequested = 0,
            CreatedAt = 0,
            PhaseAt = 0,
            Position = position,
            SentAt = letter is 'h' or 'w' ? null : 1,
            EndedAt = state >= TaskState.Succeeded ? endedAt : null,
        };
    }
}
