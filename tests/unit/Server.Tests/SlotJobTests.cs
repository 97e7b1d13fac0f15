using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>Updates of nodes whose disk has two slots, by the API.</summary>
public sealed class SlotJobTests : JobTest
{
    private static readonly Guid s_before = Guid.NewGuid();

    [Fact]
    public async Task A_node_with_two_slots_writes_the_other_one_is_tried_confirmed_and_runs_the_image()
    {
        (SimulatedNode node, StartTask start, string job) = await UpdateAsync();
        await using SimulatedNode owned = node;
        var order = Assert.IsType<UpdateSlotOrder>(start.Order);
        Assert.Equal(["/home", "/etc/ssh/ssh_host_*", "/etc/machine-id"], order.Keep!);
        Assert.Equal((await GetAsync("images/tiny"))["digest"]!.ToString(), order.Image.ToString());
        foreach (string phase in new[] { "checking", "writing", "trying" })
        {
            await node.ReportAsync(start.TaskId, phase, 0, 0, s_end);
            await PhaseAsync(job, phase);
            Assert.Equal("installed", (await GetAsync($"nodes/{node.Id}"))["lifecycle"]!.ToString());
        }
        await node.RestartAsync(NodeRole.Slave, start.TaskId, onTrial: true, cancellation: s_end);
        StartTask confirm = await node.AcceptTaskAsync(s_end);
        Assert.Equal((start.TaskId, (TaskOrder)new CommitSlotOrder()), (confirm.TaskId, confirm.Order));
        await PhaseAsync(job, "confirming");
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        await UntilAsync(job, "succeeded");
        Assert.Equal("tiny", (await GetAsync($"nodes/{node.Id}"))["imageName"]!.ToString());
        Assert.Equal(["checking", "writing", "trying", "confirming"],
            (await GetAsync($"{job}/phases")).AsArray().Select(p => p!["phase"]!.ToString()).Where(p => p.Length > 0).Distinct());
    }

    [Fact]
    public async Task A_new_system_that_does_not_report_in_leaves_the_node_with_the_one_that_it_had()
    {
        (SimulatedNode node, StartTask start, string job) = await UpdateAsync();
        await using SimulatedNode owned = node;
        await node.ReportAsync(start.TaskId, "trying", 0, 0, s_end);
        await PhaseAsync(job, "trying");
        await node.RestartAsync(NodeRole.Slave, s_before, cancellation: s_end);
        JsonNode task = (await UntilAsync(job, "failed"))["tasks"]![0]!;
        Assert.Contains("the node has gone back by itself to the one that it had", task["cause"]!.ToString());
        Assert.Equal("installed", (await GetAsync($"nodes/{node.Id}"))["lifecycle"]!.ToString());
    }

    [Fact]
    public async Task A_node_whose_power_went_in_the_middle_gets_the_order_again()
    {
        (SimulatedNode node, StartTask start, string job) = await UpdateAsync();
        await using SimulatedNode owned = node;
        await node.ReportAsync(start.TaskId, "writing", 1, 2, s_end);
        await PhaseAsync(job, "writing");
        await node.RestartAsync(NodeRole.Slave, s_before, cancellation: s_end);
        Assert.IsType<UpdateSlotOrder>((await node.AcceptTaskAsync(s_end)).Order);
    }

    [Theory]
    [InlineData(1, "a", false)]
    [InlineData(2, null, false)]
    [InlineData(2, "a", true)]
    public async Task Where_image_or_disk_has_one_slot_or_people_want_it_so_the_whole_disk_is_written(int slots, string? slot, bool whole)
    {
        (SimulatedNode node, StartTask start, string _) = await UpdateAsync(slots, slot, whole);
        await using SimulatedNode owned = node;
        Assert.IsType<StageInstallOrder>(start.Order);
    }

    [Fact]
    public async Task A_system_on_trial_is_given_nothing_else_to_do()
    {
        await ImportTwoAsync(2);
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        node.Inventory = node.Inventory with { Slot = "b" };
        await node.RestartAsync(NodeRole.Slave, s_before, onTrial: true, cancellation: s_end);
        string job = await OrderAsync(new { kind = "run", nodes = new[] { "all" }, parameters = new { shell = "true" } });
        Assert.Equal("waiting", await StatesAsync(job));
        await node.RestartAsync(NodeRole.Slave, s_before, cancellation: s_end);
        await UntilAsync(job, "sent");
    }

    [Fact]
    public async Task A_committed_system_is_on_trial_no_more_also_on_the_connection_that_it_was_on_trial_on()
    {
        (SimulatedNode node, StartTask start, string job) = await UpdateAsync();
        await using SimulatedNode owned = node;
        await node.ReportAsync(start.TaskId, "trying", 0, 0, s_end);
        await PhaseAsync(job, "trying");
        await node.RestartAsync(NodeRole.Slave, start.TaskId, onTrial: true, cancellation: s_end);
        await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        await UntilAsync(job, "succeeded");
        await UntilAsync(await OrderAsync(new { kind = "run", nodes = new[] { "all" }, parameters = new { shell = "true" } }), "sent");
    }

    [Fact]
    public async Task A_node_whose_power_goes_before_it_has_said_anything_gets_the_order_again()
    {
        (SimulatedNode node, StartTask _, string job) = await UpdateAsync();
        await using SimulatedNode owned = node;
        await UntilAsync(job, "running");
        await node.RestartAsync(NodeRole.Slave, s_before, cancellation: s_end);
        Assert.IsType<UpdateSlotOrder>((await node.AcceptTaskAsync(s_end)).Order);
    }

    [Fact]
    public async Task A_node_that_stays_away_in_the_middle_keeps_the_system_that_it_has()
    {
        (SimulatedNode node, StartTask start, string job) = await UpdateAsync();
        await node.ReportAsync(start.TaskId, "writing", 1, 2, s_end);
        await PhaseAsync(job, "writing");
        await SwitchOffAsync(node);
        Time.Now += TimeSpan.FromHours(2.1);
        await UntilAsync(job, "timed-out");
        Assert.Equal("installed", (await GetAsync($"nodes/{node.Id}"))["lifecycle"]!.ToString());
    }

    [Fact]
    public async Task The_whole_disk_is_a_choice_of_updates_alone()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        Assert.Contains("'whole' is of an update alone",
            await RefusalAsync(HttpMethod.Post, "jobs",
                new { kind = "install", nodes = new[] { "all" }, image = "tiny", parameters = new { whole = true } }),
                StringComparison.Ordinal);
    }

    private async Task ImportTwoAsync(int slots)
    {
        await ImportAsync();
        Appliance.Services.GetRequiredService<Database>().Write(c => c.Execute("UPDATE images SET slots = @slots", new { slots }));
        Assert.Equal(slots, (int)(await GetAsync("images/tiny"))["slots"]!);
    }

    /// <summary>Installs a board, has it run its system, and orders an update.</summary>
    private async Task<(SimulatedNode Node, StartTask Start, string Job)> UpdateAsync(int slots = 2, string? slot = "a", bool whole = false)
    {
        await ImportTwoAsync(slots);
        SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string install = await OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny" });
        StartTask first = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(first.TaskId, true, false, "", DiskState.Installed), s_end);
        node.Inventory = node.Inventory with { Slot = slot };
        await node.RestartAsync(NodeRole.Slave, first.TaskId, cancellation: s_end);
        await UntilAsync(install, "succeeded");
        string job = await OrderAsync(new
        {
            kind = "install",
            nodes = new[] { "all" },
            image = "tiny",
            parameters = new { update = true, whole }
        });
        return (node, await node.AcceptTaskAsync(s_end), job);
    }

    private Task PhaseAsync(string job, string phase) =>
        Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == phase, s_end);
}
