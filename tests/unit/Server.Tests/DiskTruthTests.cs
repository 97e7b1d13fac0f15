using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>However an installation ends, its node's state is what is on the disk.</summary>
public sealed class DiskTruthTests : JobTest
{
    [Theory]
    [InlineData("new", false)]
    [InlineData("new", true)]
    [InlineData("installed", false)]
    [InlineData("installed", true)]
    [InlineData("unbootable", false)]
    [InlineData("unbootable", true)]
    public async Task A_node_whose_installation_ends_before_the_first_write_is_what_it_was_before(string before, bool cancelled)
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        if (before == "installed")
        {
            await InstallAsync(node);
        }
        else if (before == "unbootable")
        {
            await EndAsync(node, DiskState.Unbootable, final: true);
        }
        Assert.Equal(before, await LifecycleAsync(node));
        string? image = (await GetAsync($"nodes/{node.Id}"))["imageName"]?.ToString();

        string job = await OrderAsync();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await UntilLifecycleAsync(node, "installing");
        await node.ReportAsync(start.TaskId, "checking", 0, 0, s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, cancelled, "the disk is too small", DiskState.Untouched), s_end);
        await UntilAsync(job, cancelled ? "cancelled" : "failed");
        Assert.Equal(before, await LifecycleAsync(node));
        Assert.Equal(image, (await GetAsync($"nodes/{node.Id}"))["imageName"]?.ToString());
    }

    [Theory]
    [InlineData("writing", "unbootable")]
    [InlineData("configuring", "unbootable")]
    [InlineData("checking", "new")]
    public async Task What_an_attempt_wrote_is_not_forgotten_when_the_next_one_writes_nothing(string phase,
        string after)
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string job = await OrderAsync();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.ReportAsync(start.TaskId, phase, 1, 2, s_end);
        await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == phase, s_end);
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "the appliance was not reached", DiskState.Untouched), s_end);
        await UntilAsync(job, "failed");
        Assert.Equal(after, await LifecycleAsync(node));
    }

    [Fact]
    public async Task An_installation_given_up_between_attempts_leaves_what_the_last_one_has_left()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string job = await OrderAsync();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "the card is slow", DiskState.Unbootable), s_end);
        await UntilAsync(job, "waiting");
        Assert.Equal("unbootable", await LifecycleAsync(node));
        using HttpResponseMessage cancelled = await Api.PostAsync($"{job}/cancel", null, s_end);
        await UntilAsync(job, "cancelled");
        Assert.Equal("unbootable", await LifecycleAsync(node));
    }

    [Fact]
    public async Task A_system_that_reports_in_after_its_installation_was_given_up_is_installed()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string job = await OrderAsync();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == "starting", s_end);
        await SwitchOffAsync(node);
        Time.Advance(TimeSpan.FromMinutes(16));
        await UntilAsync(job, "timed-out");
        Assert.Equal("unbootable", await LifecycleAsync(node));

        await node.RestartAsync(NodeRole.Slave, start.TaskId, cancellation: s_end);
        await UntilLifecycleAsync(node, "installed");
        Assert.Equal("tiny", (await GetAsync($"nodes/{node.Id}"))["imageName"]!.ToString());
    }

    [Fact]
    public async Task A_system_that_runs_after_all_shows_that_its_disk_starts()
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        Guid first = await InstallAsync(node);
        string job = await OrderAsync();
        await node.AcceptTaskAsync(s_end);
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        await node.AcceptTaskAsync(s_end);
        await SwitchOffAsync(node);
        Time.Advance(TimeSpan.FromHours(3));
        await UntilAsync(job, "timed-out");
        Assert.Equal("unbootable", await LifecycleAsync(node));

        await node.RestartAsync(NodeRole.Slave, first, cancellation: s_end);
        await UntilLifecycleAsync(node, "installed");
    }

    [Theory]
    [InlineData("checking", "new")]
    [InlineData("verifying", "unbootable")]
    public async Task A_database_that_is_restored_has_no_node_that_is_being_installed(string phase, string after)
    {
        await ImportAsync();
        await using SimulatedNode node = await ConnectAsync("10000000eeee0001");
        string job = await OrderAsync();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.ReportAsync(start.TaskId, phase, 1, 2, s_end);
        await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == phase, s_end);
        Database database = Appliance.Services.GetRequiredService<Database>();
        Assert.Equal(1, database.Write(c => JobRow.EndOpen(c, "restored", Time.Now.ToUnixTimeMilliseconds())));
        Assert.Equal(after, await LifecycleAsync(node));
    }

    [Fact]
    public void Nodes_that_an_earlier_version_left_as_being_installed_are_what_is_known_of_their_disks()
    {
        using var old = new SqliteConnection("Data Source=:memory:");
        old.Open();
        int steps = 1;
        for (; old.ExecuteScalar<long>("SELECT count(*) FROM pragma_table_info('tokens') WHERE name = 'made_by'") == 0; steps++)
        {
            Schema.Migrate(old, steps);
        }
        (string Node, string? Image, string[] Tasks)[] nodes =
        [
            ("blank", null, ["Failed Untouched"]),
            ("running", "abc", ["Failed Untouched"]),
            ("broken", "abc", ["Failed Unbootable", "Failed Untouched"]),
            ("complete", null, ["Cancelled Installed"]),
            ("forgotten", "abc", []),
            ("under-way", null, ["Running "]),
        ];
        long at = 0;
        foreach ((string node, string? image, string[] tasks) in nodes)
        {
            old.Execute("INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen, image) VALUES (@node, @node, " +
                "'Installing', '{}', 1, 1, @image); INSERT INTO jobs (id, kind, created_at, created_by) VALUES (@node, 'install', 1, 'a')",
                new { node, image });
            foreach (string[] words in tasks.Select(t => t.Split(' ')))
            {
                old.Execute("INSERT INTO tasks (id, job_id, node_id, state, disk, attempts, created_at, phase_at, ended_at) VALUES (@id, " +
                    "@node, @node, @state, nullif(@disk, ''), 1, 1, @at, iif(@state = 'Running', NULL, @at))",
                    new { id = $"{node}-{++at}", node, state = words[0], disk = words[1], at });
            }
        }
        Schema.Migrate(old);
        Assert.Equal(["blank New", "broken Unbootable", "complete Installed", "forgotten Installed", "running Installed",
            "under-way Installing"],
            old.Query<string>("SELECT name || ' ' || lifecycle FROM nodes ORDER BY name"));
        Assert.Equal(["New"], old.Query<string>("SELECT lifecycle_before FROM tasks WHERE ended_at IS NULL"));
    }

    /// <summary>Orders the installation of 'tiny' on all nodes.</summary>
    private Task<string> OrderAsync() => OrderAsync(new { kind = "install", nodes = new[] { "all" }, image = "tiny" });

    /// <summary>Installs 'tiny', and leaves the node in NetInst.</summary>
    /// <returns>The installation's id.</returns>
    private async Task<Guid> InstallAsync(SimulatedNode node)
    {
        string job = await OrderAsync();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        await Poll.UntilAsync(() => GetAsync(job), j => j["tasks"]![0]!["phase"]!.ToString() == "starting", s_end);
        await node.RestartAsync(NodeRole.Slave, start.TaskId, cancellation: s_end);
        await UntilAsync(job, "succeeded");
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        return start.TaskId;
    }

    private async Task EndAsync(SimulatedNode node, DiskState disk, bool final)
    {
        string job = await OrderAsync();
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "the card is broken", disk, final), s_end);
        await UntilAsync(job, "failed");
    }

    private async Task<string> LifecycleAsync(SimulatedNode node) => (await GetAsync($"nodes/{node.Id}"))["lifecycle"]!.ToString();

    private Task UntilLifecycleAsync(SimulatedNode node, string lifecycle) =>
        Poll.UntilAsync(() => LifecycleAsync(node), l => l == lifecycle, s_end);
}
