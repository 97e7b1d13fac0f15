using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Monitoring.Alerts;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>What is wrong with nodes is on the page at once, told to those who want to know, and to nobody while something is done with
/// the node on purpose.</summary>
public sealed class AlertTests : JobTest
{
    [Fact]
    public async Task What_a_node_tells_is_an_alert_told_by_webhook_and_so_is_that_it_is_over()
    {
        await using Receiver receiver = await WatchAsync();
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        WatchAlerts rules = await node.ReceiveAsync<WatchAlerts>(s_end);
        Assert.Equal(new AlertCondition(Metrics.UnderVoltage, AlertComparison.Above, 0, 0), rules.Rules["under-voltage"]);
        Assert.Equal(new AlertCondition("fs.read-only[/]", AlertComparison.Above, 0, 5), rules.Rules["read-only-root"]);
        // Of what only the appliance knows the node is not asked.
        Assert.DoesNotContain("silent", rules.Rules.Keys);

        await node.SendAsync(new MetConditions([new MetCondition("heat", 86.24, "cpu-thermal", 30)]), s_end);
        JsonNode alert = await UntilAsync("heat", a => a is not null);
        Assert.Equal(("Heat", "86.2 °C, cpu-thermal", 1),
            (alert["title"]!.ToString(), alert["text"]!.ToString(), alert["times"]!.GetValue<int>()));
        Assert.InRange(Now - alert["startedAt"]!.GetValue<long>(), 30_000, 60_000);
        await Poll.UntilAsync(() => Task.FromResult(receiver.Heard.Count), count => count == 1, s_end);

        // It comes back while people have hardly read of it: they are told once.
        await node.SendAsync(new MetConditions([]), s_end);
        await UntilAsync("heat", a => a!["endedAt"] is not null);
        await node.SendAsync(new MetConditions([new MetCondition("heat", 87, null, 0)]), s_end);
        Assert.Equal(2, (await UntilAsync("heat", a => a!["endedAt"] is null))["times"]!.GetValue<int>());
        await node.SendAsync(new MetConditions([]), s_end);
        await UntilAsync("heat", a => a!["endedAt"] is not null);
        Time.Advance(TimeSpan.FromMinutes(2));
        await Poll.UntilAsync(() => Task.FromResult(receiver.Heard.Count), count => count == 2, s_end);
        Receiver.Request[] heard = [.. receiver.Heard];
        Assert.Equal(["alert.started", "alert.ended"], heard.Select(h => h.Json["type"]!.ToString()));
        Assert.Equal($"Heat (86.2 °C, cpu-thermal) on {await NameAsync(node)}", heard[0].Json["text"]!.ToString());
        Assert.Equal($"over: Heat (87 °C) on {await NameAsync(node)}", heard[1].Json["text"]!.ToString());
        Assert.Equal(node.Id.ToString(), heard[0].Json["data"]!["alerts"]![0]!["node"]!.ToString());
    }

    [Fact]
    public async Task During_a_job_of_its_own_nobody_is_told_of_a_node_and_after_it_they_are()
    {
        await using Receiver receiver = await WatchAsync();
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new MetConditions([new MetCondition("oom-kill", 3, null, 0)]), s_end);
        await UntilAsync("oom-kill", a => a?["muted"]!.ToString() == "reboot runs");
        Assert.Empty(receiver.Heard);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "no power", DiskState.Untouched, true), s_end);
        await UntilAsync("oom-kill", a => a?["muted"]!.ToString() == "");
        await Poll.UntilAsync(() => Task.FromResult(receiver.Heard.Count), count => count == 1, s_end);
        Assert.StartsWith("Out-of-memory kill (3) on ", receiver.Heard.Single().Json["text"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_open_maintenance_window_mutes_its_nodes_and_no_others()
    {
        await using SimulatedNode muted = await SlaveAsync("10000000cccc0001"), other = await SlaveAsync("10000000cccc0002");
        string start = Time.Now.AddMinutes(-2).ToString("HH:mm", CultureInfo.InvariantCulture);
        using HttpResponseMessage made = await Api.PostAsJsonAsync("schedules", new
        {
            name = "nightly",
            cron = "0 3 1 1 *",
            job = new { kind = "reboot", nodes = new[] { muted.Id.ToString() } },
            window = new { start, minutes = 60 },
        }, s_end);
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(s_end));
        foreach (SimulatedNode node in new[] { muted, other })
        {
            await node.SendAsync(new MetConditions([new MetCondition("throttled", 1, null, 5)]), s_end);
        }
        await UntilAsync("throttled", a => a?["muted"]!.ToString() == "maintenance window of nightly", muted);
        Assert.Equal("", (await UntilAsync("throttled", a => a is not null, other))["muted"]!.ToString());
    }

    [Fact]
    public async Task An_installed_node_that_goes_is_silent_but_not_one_that_a_job_has_shut_down()
    {
        await using SimulatedNode silent = await SlaveAsync("10000000cccc0001"), off = await SlaveAsync("10000000cccc0002");
        foreach (SimulatedNode node in new[] { silent, off })
        {
            Appliance.Services.GetRequiredService<Database>().Write(c => NodeRow.SetLifecycle(c, node.Id.ToString(), Lifecycle.Installed));
        }
        string job = await OrderAsync(new { kind = "shutdown", nodes = new[] { off.Id.ToString() } });
        await off.AcceptTaskAsync(s_end);
        await off.SendAsync(new Goodbye("shutdown"), s_end);
        await off.DisconnectAsync(s_end);
        await SwitchOffAsync(silent);
        await Poll.UntilAsync(async () =>
        {
            Time.Advance(TimeSpan.FromSeconds(20));
            return await StatesAsync(job);
        }, states => states == "succeeded", s_end);
        Time.Advance(TimeSpan.FromSeconds(40));
        JsonNode alert = await UntilAsync("silent", a => a is not null, silent);
        Assert.Equal("Node silent", alert["title"]!.ToString());
        Assert.DoesNotContain(await AlertsAsync(), a => a!["node"]!.ToString() == off.Id.ToString());

        // A rule that was away for a moment: what it is about is as wrong as before.
        await EnableAsync("silent", false);
        await Poll.UntilAsync(AlertsAsync, alerts => alerts.Count == 0, s_end);
        await EnableAsync("silent", true);
        await UntilAsync("silent", a => a is not null, silent);

        await Appliance.RestartAsync();
        await silent.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await UntilAsync("silent", a => a!["endedAt"] is not null, silent);
        await SwitchOffAsync(silent);
        await Appliance.RestartAsync();
        Time.Advance(TimeSpan.FromSeconds(20));
        await Task.Delay(TimeSpan.FromMilliseconds(700), TimeProvider.System, s_end);
        Assert.NotNull((await UntilAsync("silent", a => a is not null, silent))["endedAt"]);
    }

    [Fact]
    public async Task A_node_that_starts_again_and_again_is_named_and_its_ordered_restarts_do_not_count()
    {
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        Appliance.Services.GetRequiredService<Database>().Write(c => NodeRow.SetLifecycle(c, node.Id.ToString(), Lifecycle.Installed));
        string job = await OrderAsync(new { kind = "reboot", nodes = new[] { "all" } });
        await node.AcceptTaskAsync(s_end);
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await UntilAsync(job, "succeeded");
        for (int i = 0; i < 4; i++)
        {
            Time.Advance(TimeSpan.FromMinutes(5));
            Assert.Empty(await AlertsAsync());
            await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        }
        Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("4", (await UntilAsync("restarts", a => a is not null))["text"]!.ToString());
        Time.Advance(TimeSpan.FromHours(1));
        await UntilAsync("restarts", a => a!["endedAt"] is not null);
    }

    [Fact]
    public async Task Rules_are_changed_put_back_made_for_some_nodes_and_removed_and_nodes_hear_of_it_at_once()
    {
        await using SimulatedNode camera = await SlaveAsync("10000000cccc0001"), other = await SlaveAsync("10000000cccc0002");
        await camera.ReceiveAsync<WatchAlerts>(s_end);
        await other.ReceiveAsync<WatchAlerts>(s_end);
        (await Api.PatchAsJsonAsync($"nodes/{camera.Id}", new { tags = new[] { "camera" } }, s_end)).EnsureSuccessStatusCode();
        var hot = new
        {
            name = "hot-cameras",
            title = "Hot camera",
            metric = "temperature",
            comparison = "above",
            threshold = 60,
            forSeconds = 10,
            select = "tag:camera",
        };
        (await Api.PutAsJsonAsync("alerts/rules/hot-cameras", hot, s_end)).EnsureSuccessStatusCode();
        Assert.Equal(60, (await camera.ReceiveAsync<WatchAlerts>(s_end)).Rules["hot-cameras"].Threshold);
        // What was told under a rule goes with it.
        await camera.SendAsync(new MetConditions([new MetCondition("hot-cameras", 61, null, 10)]), s_end);
        await UntilAsync("hot-cameras", a => a is not null);
        (await Api.DeleteAsync("alerts/rules/hot-cameras", s_end)).EnsureSuccessStatusCode();
        Assert.DoesNotContain("hot-cameras", (await camera.ReceiveAsync<WatchAlerts>(s_end)).Rules.Keys);
        await Poll.UntilAsync(AlertsAsync, alerts => alerts.Count == 0, s_end);
        // The other node's rules were the same all the time: it heard nothing, until now.
        JsonNode heat = await RuleAsync("heat");
        Assert.Equal("built-in", heat["origin"]!.ToString());
        JsonObject changed = heat["rule"]!.DeepClone().AsObject();
        changed["threshold"] = 70;
        (await Api.PutAsJsonAsync("alerts/rules/heat", changed, s_end)).EnsureSuccessStatusCode();
        Assert.Equal("changed", (await RuleAsync("heat"))["origin"]!.ToString());
        Assert.Equal(70, (await other.ReceiveAsync<WatchAlerts>(s_end)).Rules["heat"].Threshold);
        (await Api.DeleteAsync("alerts/rules/heat", s_end)).EnsureSuccessStatusCode();
        Assert.Equal(80, (await other.ReceiveAsync<WatchAlerts>(s_end)).Rules["heat"].Threshold);
    }

    [Fact]
    public void Who_writes_may_ask_for_the_rules_while_a_change_of_them_waits_for_its_turn()
    {
        AlertRules rules = Appliance.Services.GetRequiredService<AlertRules>();
        AlertRule warm = rules.All().Single(rule => rule.Name == "heat") with { Threshold = 65 };
        var change = new Thread(() => rules.Put(warm));
        double meanwhile = Appliance.Services.GetRequiredService<Database>().Write(_ =>
        {
            change.Start();
            Assert.True(SpinWait.SpinUntil(() => change.ThreadState.HasFlag(ThreadState.WaitSleepJoin), TimeSpan.FromMinutes(1)));
            double asked = 0;
            var asking = new Thread(() => asked = Threshold(rules));
            asking.Start();
            Assert.True(asking.Join(TimeSpan.FromMinutes(1)));
            return asked;
        });
        change.Join();
        Assert.Equal((80, 65), (meanwhile, Threshold(rules)));

        static double Threshold(AlertRules rules) => rules.All().Single(rule => rule.Name == "heat").Threshold;
    }

    [Theory]
    [InlineData("metric", "warmth", "There is no metric 'warmth'.")]
    [InlineData("comparison", "rises-by", "'node.silence' is compared with above or below.", "node.silence")]
    [InlineData("forSeconds", -1, "The time is 0 to 86400 seconds, not -1.")]
    [InlineData("forSeconds", 86401, "The time is 0 to 86400 seconds, not 86401.")]
    [InlineData("threshold", 1e30, "The threshold is a number that a machine can have.")]
    [InlineData("select", "colour:red", "Nodes have no field 'colour'")]
    [InlineData("title", "", "A rule's title is one line of 1 to 60 characters.")]
    [InlineData("name", "Hot", "'Hot' cannot be a rule's name: use 1 to 40 of a-z, 0-9 and '-'.")]
    public async Task A_rule_that_makes_no_sense_is_refused_with_the_reason_and_nothing_changes(string field, object value, string reason,
        string metric = "temperature")
    {
        var rule = new JsonObject
        {
            ["name"] = "hot",
            ["title"] = "Hot",
            ["metric"] = metric,
            ["comparison"] = "above",
            ["threshold"] = 60,
            ["forSeconds"] = 10,
        };
        rule[field] = JsonValue.Create(value);
        string name = field == "name" ? (string)value : "hot";
        string refusal = await RefusalAsync(HttpMethod.Put, $"alerts/rules/{name}", rule);
        Assert.StartsWith(reason, refusal, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was changed.", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain((await GetAsync("alerts/rules")).AsArray(), r => r!["rule"]!["name"]!.ToString() == name);
    }

    [Fact]
    public async Task A_node_that_lies_of_its_conditions_is_cut_off_and_what_it_may_say_is_bounded()
    {
        await using SimulatedNode node = await SlaveAsync("10000000cccc0001");
        await node.SendAsync(new MetConditions([
            new MetCondition("heat", 81, "\u001b[2Jboo", -5), new MetCondition("heat", 90, null, 1),
            new MetCondition("silent", 99, null, 1), new MetCondition("<script>", 1, null, 1)]), s_end);
        JsonNode alert = await UntilAsync("heat", a => a is not null);
        Assert.Equal("81 °C, \uFFFD[2Jboo", alert["text"]!.ToString());
        Assert.Single(await AlertsAsync());
        await node.SendAsync(
            """{"type":"met-conditions","conditions":[{"rule":"heat","value":1e300,"part":null,"heldSeconds":0}]}""", s_end);
        await Assert.ThrowsAsync<InvalidOperationException>(() => node.ReceiveAsync<Locate>(s_end));
    }

    [Fact]
    public async Task A_viewer_reads_alerts_and_changes_no_rules()
    {
        using HttpClient viewer = Appliance.CreateClient(Features.Access.Role.Viewer);
        Assert.Equal(HttpStatusCode.OK, (await viewer.GetAsync("alerts", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await viewer.GetAsync("alerts/rules", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.DeleteAsync("alerts/rules/heat", s_end)).StatusCode);
    }

    private long Now => Time.Now.ToUnixTimeMilliseconds();

    private Task<SimulatedNode> SlaveAsync(string id) =>
        SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse(id), NodeRole.Slave, "arm64", s_end);

    private async Task<Receiver> WatchAsync()
    {
        Receiver receiver = await Receiver.StartAsync();
        var hook = new { name = "ops", url = receiver.Url, events = new[] { "alert-started", "alert-ended" } };
        (await Api.PutAsJsonAsync("notifications", new { webhooks = new[] { hook } }, s_end)).EnsureSuccessStatusCode();
        return receiver;
    }

    private async Task EnableAsync(string name, bool isEnabled)
    {
        JsonArray rules = (await GetAsync("alerts/rules")).AsArray();
        JsonNode rule = rules.Single(r => r!["rule"]!["name"]!.ToString() == name)!["rule"]!;
        rule["enabled"] = isEnabled;
        (await Api.PutAsJsonAsync($"alerts/rules/{name}", rule, s_end)).EnsureSuccessStatusCode();
    }

    private async Task<JsonArray> AlertsAsync() => (await GetAsync("alerts")).AsArray();

    private async Task<string> NameAsync(SimulatedNode node) => (await GetAsync($"nodes/{node.Id}"))["name"]!.ToString();

    private async Task<JsonNode> RuleAsync(string name) =>
        (await GetAsync("alerts/rules")).AsArray().Single(r => r!["rule"]!["name"]!.ToString() == name)!;

    /// <summary>Waits until the alert of a rule is as it shall be.</summary>
    private async Task<JsonNode> UntilAsync(string rule, Func<JsonNode?, bool> isSo, SimulatedNode? node = null) => (await Poll.UntilAsync(
        async () => (await AlertsAsync()).SingleOrDefault(a => a!["rule"]!.ToString() == rule
            && (node is null || a["node"]!.ToString() == node.Id.ToString())), isSo, s_end))!;
}
