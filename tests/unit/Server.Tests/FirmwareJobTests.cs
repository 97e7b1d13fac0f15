using System.Net;
using System.Text.Json.Nodes;
using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>An update of boot firmware from the order to the proof, with a real Slave on a made-up Pi.</summary>
public sealed class FirmwareJobTests : WorkJobTest
{
    private readonly RecordingPower _power = new();

    private protected override NodeSystem Machine => new PiWithEeprom(Folder).System;

    private protected override ISystemPower? Power => _power;

    [Fact]
    public async Task A_node_is_updated_restarted_and_has_succeeded_when_it_runs_the_new_firmware()
    {
        PiWithEeprom pi = new PiWithEeprom(Folder).Make();
        JsonNode task = await OrderAsync("firmware", new { });
        Assert.Equal("restart", await _power.Done.Task.WaitAsync(s_end));
        JsonNode now = await Poll.UntilAsync(() => NowAsync(task), t => t["phase"]!.ToString() == "restarting", s_end);
        Assert.Equal("running", now["state"]!.ToString());
        Assert.Contains("EEPROM updates pending. Please reboot to apply the update.", await LogAsync(task));
        Assert.Contains("power: throttled=0x0, rpi_volt alarm unknown, 48.3 °C", await LogAsync(task));

        await Slave.DisposeAsync();
        pi.Start();
        Slave = Start("boot-2");
        JsonNode end = await EndOfAsync(task);
        Assert.Equal(("succeeded", "", null), End(end));
        Assert.Equal("the board runs the boot firmware of 2025-05-08", end["note"]!.ToString());
        string[] phases = [.. (await GetPhasesAsync(task)).Select(p => p!["phase"]!.ToString())];
        Assert.Equal(["restarting", "confirming"], phases.Where(p => p is "restarting" or "confirming"));
    }

    [Fact]
    public async Task A_node_whose_power_is_bad_refuses_and_stays_as_it_is()
    {
        PiWithEeprom pi = new PiWithEeprom(Folder).Make().Write("throttled", "0x50000");
        (string state, string cause, _) = End(await DoAsync("firmware", new { powerChecked = true }));
        Assert.Equal("failed", state);
        Assert.Contains("throttled=0x50000", cause);
        Assert.False(pi.IsStaged);
        Assert.False(_power.Done.Task.IsCompleted);
    }

    private async Task<JsonArray> GetPhasesAsync(JsonNode task) =>
        JsonNode.Parse(await Api.GetStringAsync($"jobs/{task["jobId"]}/phases", s_end))!.AsArray();
}

/// <summary>What is particular to boot firmware among several nodes.</summary>
public sealed class FirmwareRolloutTests : JobTest
{
    [Fact]
    public async Task Nodes_are_updated_one_by_one_and_the_first_failure_stops_unless_the_roll_out_differs()
    {
        var nodes = new SimulatedNode[3];
        for (int i = 0; i < nodes.Length; i++)
        {
            nodes[i] = await SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse($"10000000cccc{i:d4}"), NodeRole.Slave, "arm64",
                s_end);
        }
        string job = await OrderAsync(new { kind = "firmware", nodes = new[] { "all" } });
        Assert.Equal("sent held held", await StatesAsync(job));
        Assert.Equal("at most 1 at once", (await GetAsync(job))["job"]!["note"]!.ToString());

        StartTask start = await nodes[0].AcceptTaskAsync(s_end);
        Assert.Equal(new FirmwareOrder(null, PowerChecked: false), start.Order);
        await nodes[0].SendAsync(new Goodbye("reboot"), s_end);
        await nodes[0].RestartAsync(NodeRole.Slave, cancellation: s_end);
        Assert.Equal(start.TaskId, (await nodes[0].ReceiveAsync<StartTask>(s_end)).TaskId);
        Assert.Equal("sent held held", await StatesAsync(job));
        await nodes[0].SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched,
            Note: "the board runs the boot firmware of 2025-05-08"), s_end);
        await UntilAsync(job, "succeeded sent held");
        await FailAsync(nodes[1]);
        JsonNode ended = await UntilAsync(job, "succeeded failed skipped");
        Assert.Equal("1 of 3 nodes failed, and the roll-out stops after 1", ended["job"]!["note"]!.ToString());

        string atOnce = await OrderAsync(new
        {
            kind = "firmware",
            nodes = new[] { "all" },
            rollout = new { maximumAtOnce = 2 },
            parameters = new { graceSeconds = 60, powerChecked = true }
        });
        Assert.Equal("sent sent held", await StatesAsync(atOnce));
        Assert.Equal(new FirmwareOrder(new UserWarning(60, ""), PowerChecked: true), (await nodes[0].ReceiveAsync<StartTask>(s_end)).Order);
        foreach (SimulatedNode node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("""{ "maximumAtOnce": 5 }""", 5, "1")]
    [InlineData("""{ "stopAfter": "3" }""", 1, "3")]
    [InlineData("""{ "canary": 1 }""", null, "1")]
    [InlineData("""{ "batch": 2, "stopAfter": "50%" }""", null, "50%")]
    [InlineData("{}", 1, "1")]
    public async Task What_a_roll_out_does_not_say_is_as_careful_as_without_one(string said, int? atOnce, string stopAfter)
    {
        SimulatedNode[] nodes = await ConnectAsync(2);
        string job = await OrderAsync(new { kind = "firmware", nodes = new[] { "all" }, rollout = JsonNode.Parse(said) });
        JsonNode rollout = (await GetAsync(job))["job"]!["rollout"]!;
        Assert.Equal((atOnce, stopAfter), ((int?)rollout["maximumAtOnce"], rollout["stopAfter"]!.ToString()));
        foreach (SimulatedNode node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task One_node_needs_no_roll_out_and_nodes_that_are_chosen_later_may_be_several()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        string later = await OrderAsync(new { kind = "firmware", select = "all", notBefore = Time.Now.AddHours(1).ToString("O") });
        Assert.Equal(1, (int?)(await GetAsync(later))["job"]!["rollout"]!["maximumAtOnce"]);
        string now = await OrderAsync(new { kind = "firmware", nodes = new[] { "all" } });
        Assert.Null((await GetAsync(now))["job"]!["rollout"]);
        await nodes[0].DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_starts_NetInst_after_the_restart_has_lost_its_system()
    {
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse("10000000cccc0000"), NodeRole.Slave,
            "arm64", s_end);
        string job = await OrderAsync(new { kind = "firmware", nodes = new[] { "all" } });
        await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new Goodbye("reboot"), s_end);
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        JsonNode ended = await UntilAsync(job, "failed");
        Assert.StartsWith("the node started NetInst instead of its system", ended["tasks"]![0]!["cause"]!.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task NetInst_has_no_firmware_to_update()
    {
        SimulatedNode[] nodes = await ConnectAsync(1);
        string job = await OrderAsync(new { kind = "firmware", nodes = new[] { "all" } });
        JsonNode ended = await UntilAsync(job, "failed");
        Assert.Contains("install one first", ended["tasks"]![0]!["cause"]!.ToString());
        Assert.Contains("needs a grace",
            await RefusalAsync(HttpMethod.Post, "jobs",
            new { kind = "firmware", nodes = new[] { "all" }, parameters = new { message = "bye" } }, HttpStatusCode.BadRequest));
        await nodes[0].DisposeAsync();
    }
}
