using System.Net.Http.Json;
using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>Jobs as an administrator plans them on the command line.</summary>
public sealed class JobTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_roll_out_is_ordered_in_words_and_its_plan_is_shown()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode first = await ConnectAsync(line, 1), second = await ConnectAsync(line, 2);
        (int code, string output, string errors) = await line.RunAsync("reboot", "all", "--canary", "1", "--stop-after", "10%",
            "--attempts", "2");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("batch 1 waits for the end of the canary\n", output, StringComparison.Ordinal);
        Assert.Matches("node-dd0001 +sent", output);
        Assert.Matches("node-dd0002 +held", output);
        (_, output, _) = await line.RunAsync("jobs", "list", "--json");
        Assert.Equal("batch 1 waits for the end of the canary", JsonDocument.Parse(output).RootElement[0].GetProperty("note").GetString());

        Assert.Equal((1, "", "bootstrap: The roll-out's stopAfter is a number of failures such as 3, or a part of the nodes such as " +
            "\"10%\", not 'many'. Nothing was ordered."),
            await line.RunAsync("reboot", "all", "--stop-after", "many"));
        Assert.Equal((2, "", "bootstrap: --retry-pause needs --attempts"), await line.RunAsync("reboot", "all", "--retry-pause", "5"));
    }

    [Fact]
    public async Task A_job_is_paused_resumed_and_repeated_for_those_that_failed()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode first = await ConnectAsync(line, 1), second = await ConnectAsync(line, 2);
        (_, string output, _) = await line.RunAsync("reboot", "all", "--batch", "1", "--stop-after", "2", "--ignore-health", "--json");
        string job = JsonDocument.Parse(output).RootElement.GetProperty("job").GetProperty("id").GetString()!;
        (int code, output, string errors) = await line.RunAsync("jobs", "pause", job);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("paused\n", output, StringComparison.Ordinal);
        StartTask start = await first.AcceptTaskAsync(s_end);
        await first.SendAsync(new TaskEnded(start.TaskId, false, false, "no power", DiskState.Untouched), s_end);
        await Poll.UntilAsync(() => line.RunAsync("jobs", "show", job),
            shown => shown.Output.Contains("no power", StringComparison.Ordinal), s_end);

        (_, output, _) = await line.RunAsync("jobs", "phases", job);
        Assert.Matches("node-dd0001 +sent +[0-9]{4}-.*\n(?:.*\n)*node-dd0001 +failed +[0-9]{4}-", output);
        Assert.Equal(0, (await line.RunAsync("jobs", "resume", job)).Code);
        await second.ReceiveAsync<StartTask>(s_end);
        (code, output, _) = await line.RunAsync("jobs", "retry", job);
        Assert.Equal(0, code);
        Assert.Contains("node-dd0001", output, StringComparison.Ordinal);
        Assert.DoesNotContain("node-dd0002", output, StringComparison.Ordinal);
        (code, _, errors) = await line.RunAsync("jobs", "retry", job);
        Assert.Equal(1, code);
        Assert.EndsWith($"tries again already what failed in job {job}.", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_nodes_say_is_followed_as_it_comes_until_the_job_has_ended()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode first = await ConnectAsync(line, 1, NodeRole.Slave), second = await ConnectAsync(line, 2, NodeRole.Slave);
        (_, string output, _) = await line.RunAsync("jobs", "run", "--select", "all", "--yes", "--json", "--", "uptime");
        string job = JsonDocument.Parse(output).RootElement.GetProperty("job").GetProperty("id").GetString()!;
        (Guid one, Guid two) = ((await first.AcceptTaskAsync(s_end)).TaskId, (await second.AcceptTaskAsync(s_end)).TaskId);
        Task<(int Code, string Output, string Errors)> following = line.RunAsync("jobs", "output", job, "--follow");
        foreach ((SimulatedNode node, Guid task, string said) in new[] { (first, one, "a"), (second, two, "b"), (first, one, "c") })
        {
            await node.SendAsync(new LogLines(task, [said]), s_end);
            await Poll.UntilAsync(() => line.RunAsync("jobs", "output", job),
                shown => shown.Output.Contains($": {said}\n", StringComparison.Ordinal), s_end);
        }
        Assert.False(following.IsCompleted);
        await first.SendAsync(new TaskEnded(one, true, false, "", DiskState.Untouched), s_end);
        await second.SendAsync(new TaskEnded(two, false, false, "exit code 3", DiskState.Untouched), s_end);
        Assert.Equal((1, "node-dd0001: a\nnode-dd0002: b\nnode-dd0001: c\n", ""), await following);
    }

    [Fact]
    public async Task An_order_that_is_held_is_undone()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        (_, string output, _) = await line.RunAsync("shutdown", "all", "--hold", "300", "--json");
        string job = JsonDocument.Parse(output).RootElement.GetProperty("job").GetProperty("id").GetString()!;
        (int code, output, string errors) = await line.RunAsync("jobs", "undo", job);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("undone before anything was sent to the node", output, StringComparison.Ordinal);
        Assert.Equal((1, "", $"bootstrap: Job {job} has ended: there is nothing to undo."), await line.RunAsync("jobs", "undo", job));
    }

    [Fact]
    public async Task One_node_of_a_job_is_cancelled()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode first = await ConnectAsync(line, 1), second = await ConnectAsync(line, 2);
        (_, string output, _) = await line.RunAsync("reboot", "all", "--hold", "300", "--json");
        string job = JsonDocument.Parse(output).RootElement.GetProperty("job").GetProperty("id").GetString()!;
        (_, output, string errors) = await line.RunAsync("jobs", "cancel", job, "--node", "node-dd0002");
        Assert.Equal("", errors);
        Assert.Matches("node-dd0001 +held", output);
        Assert.Matches("node-dd0002 +cancelled", output);
        Assert.Equal((1, "", $"bootstrap: job {job} has no node 'nobody'"), await line.RunAsync("jobs", "cancel", job, "--node", "nobody"));
    }

    [Fact]
    public async Task A_job_is_known_by_the_beginning_of_its_id_where_no_other_one_begins_so()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        string[] jobs = new string[2];
        for (int i = 0; i < jobs.Length; i++)
        {
            (_, string ordered, _) = await line.RunAsync("reboot", "all", "--hold", "300", "--json");
            jobs[i] = JsonDocument.Parse(ordered).RootElement.GetProperty("job").GetProperty("id").GetString()!;
        }
        int same = jobs[0].Zip(jobs[1]).TakeWhile(c => c.First == c.Second).Count();
        string unique = jobs[1][..(same + 1)];
        (int code, string output, string errors) = await line.RunAsync("jobs", "show", unique);
        Assert.Equal((0, ""), (code, errors));
        Assert.StartsWith($"job {jobs[1]}: reboot", output, StringComparison.Ordinal);
        Assert.Equal(0, (await line.RunAsync("jobs", "pause", jobs[0][..(same + 1)].ToUpperInvariant())).Code);

        (code, output, errors) = await line.RunAsync("jobs", "cancel", jobs[0][..same]);
        Assert.Equal((1, ""), (code, output));
        Assert.Matches(
            $"^bootstrap: several jobs begin with '{jobs[0][..same]}': {jobs[1]} \\(reboot of .*\\), {jobs[0]} \\(reboot of .*\\)$",
            errors);
        Assert.Equal((1, "", "bootstrap: there is no job '1234': see `bootstrap jobs list`"), await line.RunAsync("jobs", "show", "1234"));
        Assert.Equal((1, "", "bootstrap: there is no job '%': see `bootstrap jobs list`"), await line.RunAsync("jobs", "show", "%"));
        (code, output, _) = await line.RunAsync("reboot", "all", "--after", unique);
        Assert.Equal(0, code);
        Assert.Equal((1, "", "bootstrap: there is no job 'ffff': see `bootstrap jobs list`"),
            await line.RunAsync("reboot", "all", "--after", "ffff"));
    }

    [Fact]
    public async Task Images_and_tokens_are_known_by_the_beginning_of_what_their_lists_show()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        string[] digests = new string[2];
        for (byte i = 0; i < 2; i++)
        {
            string file = Path.Combine(line.Folder, $"tiny-{i}.img");
            await File.WriteAllBytesAsync(file, TinyImage.Create(seed: i), s_end);
            (int imported, string answer, _) = await line.RunAsync("images", "import", file, "--architecture", "arm64", "--json");
            Assert.Equal(0, imported);
            digests[i] = JsonDocument.Parse(answer).RootElement.GetProperty("digest").GetString()!;
        }
        Assert.Equal((0, "tiny-1 is public: anybody on the network may fetch it\n", ""),
            await line.RunAsync("images", "publish", digests[1][..12]));
        Assert.Equal((1, "", $"bootstrap: there is no image '{digests[1][..3]}': see `bootstrap images list`"),
            await line.RunAsync("images", "remove", digests[1][..3]));
        Assert.Equal(0, (await line.RunAsync("images", "remove", digests[0][..12])).Code);
        (_, string listed, _) = await line.RunAsync("images", "list", "--json");
        Assert.Equal([digests[1]],
            JsonDocument.Parse(listed).RootElement.EnumerateArray().Select(i => i.GetProperty("digest").GetString()));

        Assert.Equal(0, (await line.RunAsync("tokens", "add", "script")).Code);
        (_, listed, _) = await line.RunAsync("tokens", "list", "--json");
        string token = JsonDocument.Parse(listed).RootElement.EnumerateArray().Single(t => t.GetProperty("name").GetString() == "script")
            .GetProperty("id").GetString()!;
        Assert.Equal(0, (await line.RunAsync("tokens", "revoke", token[..8])).Code);
        Assert.DoesNotContain("script", (await line.RunAsync("tokens", "list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_be_refused_is_refused_before_nodes_are_listed_and_anything_is_asked()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        string file = Path.Combine(line.Folder, "tiny.img");
        await File.WriteAllBytesAsync(file, TinyImage.Create(), s_end);
        Assert.Equal(0, (await line.RunAsync("images", "import", file, "--architecture", "arm64")).Code);
        foreach ((string sentence, string[] command) in new (string, string[])[]
        {
            ("there is no image 'nosuch': see `bootstrap images list`", ["install", "all", "--image", "nosuch"]),
            ("There is no profile 'nosuch': see the list of profiles. Nothing was ordered.",
                ["install", "all", "--image", "tiny", "--profile", "nosuch"]),
            ("notBefore lies in the past: 2020-01-01T00:00:00Z. Nothing was ordered.",
                ["install", "all", "--image", "tiny", "--at", "2020-01-01T00:00:00Z"]),
            ("there is no image 'nosuch': see `bootstrap images list`", ["update", "--select", "all", "--image", "nosuch"]),
            ("'no package' is no name of a package.", ["update", "--select", "all", "--package", "no package"]),
            ("no node is taken by 'name:nobody'", ["deploy", file, "/srv/x", "--select", "name:nobody"]),
        })
        {
            (int code, string output, string errors) = await line.RunAsync(command);
            Assert.Equal((true, "", $"bootstrap: {sentence}"), (code > 0, output, errors));
        }
        // What was not to be deployed was not sent either.
        Assert.Equal("[]\n", (await line.RunAsync("files", "list", "--json")).Output);
        Assert.Equal("[]\n", (await line.RunAsync("jobs", "list", "--json")).Output);
    }

    [Theory]
    [InlineData("nodes", "list")]
    [InlineData("reboot")]
    [InlineData("nodes", "export", "--csv", "-")]
    [InlineData("nodes", "ansible")]
    public async Task A_selector_with_a_field_that_there_is_not_is_refused_with_those_that_there_are(params string[] command)
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        (int code, string output, string errors) = await line.RunAsync([.. command, "--select", "-tga=camera"]);
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("bootstrap: Nodes have no field 'tga': it is one of address, arch, ", errors, StringComparison.Ordinal);
        Assert.Equal("[]\n", (await line.RunAsync("jobs", "list", "--json")).Output);
    }

    [Fact]
    public async Task An_order_for_later_goes_by_its_selector_unless_it_is_frozen()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        Assert.Equal(("dd0001", true), await OrderAsync());
        Assert.Equal(("", false), await OrderAsync("--frozen"));

        async Task<(string Select, bool Again)> OrderAsync(params string[] more)
        {
            (int code, string output, string errors) =
                await line.RunAsync(["reboot", "--select", "dd0001", "--at", "2199-01-01T00:00:00Z", "--yes", "--json", .. more]);
            Assert.Equal((0, ""), (code, errors));
            string id = JsonDocument.Parse(output).RootElement.GetProperty("job").GetProperty("id").GetString()!;
            using HttpClient api = line.Appliance.CreateClient();
            JsonElement job = (await api.GetFromJsonAsync<JsonElement>($"jobs/{id}", s_end)).GetProperty("job");
            return (job.TryGetProperty("select", out JsonElement select) ? select.ToString() : "", job.GetProperty("choosesAgain")
                .GetBoolean());
        }
    }

    [Fact]
    public async Task A_schedule_is_added_shown_run_switched_off_and_removed()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        (int code, string output, string errors) = await line.RunAsync("schedules", "add", "weekly", "--cron", "0 3 * * SUN", "--zone",
            "Europe/Berlin", "--kind", "reboot",
            "--select", "all", "--window", "03:00", "--missed", "run-once", "--batch", "4");
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("^weekly: runs next [0-9]{4}-[0-9-]+ 03:00:00 Europe/Berlin\n$", output);
        (_, output, _) = await line.RunAsync("schedules", "list");
        Assert.Matches("weekly +0 3 \\* \\* SUN +Europe/Berlin .* run-once +03:00 \\+ 240 min +reboot: all", output);
        (code, output, errors) = await line.RunAsync("schedules", "calendar", "--from", "2199-01-01", "--days", "14");
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("^DAY +SCHEDULE +DONE +TO COME *\n(2199-01-[0-9]{2} +weekly +[0-9]{2}:00 \\S+ *\n){2}$", output);
        Assert.Equal((1, "", "bootstrap: days is 1 to 42, not 43."), await line.RunAsync("schedules", "calendar", "--days", "43"));
        (_, output, _) = await line.RunAsync("schedules", "next", "weekly", "--count", "3", "--json");
        long[] runs = JsonSerializer.Deserialize<long[]>(output)!;
        Assert.Equal(3, runs.Distinct().Count());

        (code, output, errors) = await line.RunAsync("schedules", "run", "weekly");
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("node-dd0001 +sent", output);
        Assert.Equal((0, "weekly: is disabled\n", ""), await line.RunAsync("schedules", "disable", "weekly"));
        Assert.StartsWith("weekly: runs next ", (await line.RunAsync("schedules", "enable", "weekly")).Output, StringComparison.Ordinal);
        Assert.Equal((0, "", ""), await line.RunAsync("schedules", "remove", "weekly"));
        Assert.Equal((1, "", "bootstrap: There is no schedule 'weekly'."), await line.RunAsync("schedules", "remove", "weekly"));
    }

    [Fact]
    public async Task A_schedule_or_a_time_that_cannot_be_is_one_sentence()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line, 1);
        Assert.Equal((1, "", "bootstrap: The cron line '0 0 30 2 *' never comes: there is no such day. Nothing was changed."),
            await line.RunAsync("schedules", "add", "never", "--cron", "0 0 30 2 *", "--kind", "reboot", "--select", "all"));
        Assert.Equal((1, "", "bootstrap: There are no jobs of kind 'dance': it is one of benchmark, deploy, firmware, install, reboot, " +
            "run, " +
            "shutdown, update."),
            await line.RunAsync("schedules", "add", "dance", "--cron", "0 0 1 * *", "--kind", "dance", "--select", "all"));
        Assert.Equal((2, "", "bootstrap: each run erases the disks of its nodes and installs 'debian-12' without a question: say --yes " +
            "if that is meant"),
            await line.RunAsync("schedules", "add", "fresh", "--cron", "0 0 1 * *", "--kind", "install", "--select", "all", "--image",
                "debian-12"));
        Assert.Equal((1, "", "bootstrap: notBefore lies in the past: 2020-01-01T00:00:00Z. Nothing was ordered."),
            await line.RunAsync("reboot", "all", "--at", "2020-01-01T00:00:00Z"));
        Assert.Equal("[]\n", (await line.RunAsync("schedules", "list", "--json")).Output);
        (int code, string output, _) = await line.RunAsync("reboot", "all", "--at", "2199-01-01T00:00:00Z");
        Assert.Equal(0, code);
        Assert.Contains("begins at 2199-01-01 00:00:00 UTC\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_schedules_is_applied_and_changes_nothing_a_second_time()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        string file = Path.Combine(line.Folder, "schedules.yaml");
        const string Text = """
            templates:
              cameras:
                kind: reboot
                select: tag=camera
                rollout: {canary: 1, batch: 10, stopAfter: 10%}
            schedules:
              - name: weekly
                cron: 0 3 * * SUN
                zone: Europe/Berlin
                template: cameras
                window: {start: "03:00", minutes: 120}
                missed: run-once
              - name: nightly
                cron: 0 1 * * *
                job: {kind: shutdown, select: all, retry: {attempts: 2}}
            """;
        await File.WriteAllTextAsync(file, Text, s_end);
        (int code, string output, string errors) = await line.RunAsync("jobs", "apply", "-f", file);
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("weekly +added *\nnightly +added", output);
        JsonElement weekly = JsonDocument.Parse((await line.RunAsync("schedules", "list", "--json")).Output).RootElement[1];
        Assert.Equal(("weekly", "run-once"), (weekly.GetProperty("name").GetString(), weekly.GetProperty("missed").GetString()));

        Assert.Matches("weekly +unchanged *\nnightly +unchanged", (await line.RunAsync("jobs", "apply", "-f", file)).Output);
        await File.WriteAllTextAsync(file, Text.Replace("batch: 10", "batch: 5", StringComparison.Ordinal), s_end);
        Assert.Matches("weekly +changed *\nnightly +unchanged", (await line.RunAsync("jobs", "apply", "-f", file)).Output);
    }

    [Theory]
    [InlineData("schedules:\n  - name: weekly\n    crom: 0 3 * * SUN\n", 2, ", line 3, column 5: 'crom' is not known here")]
    [InlineData("schedules:\n  - name: weekly\n    name: again\n", 2, ", line 3, column 5: ")]
    [InlineData("schedules: [", 2, ", column ")]
    [InlineData("schedules:\n  - {name: weekly, cron: 0 3 * * *, job: {kind: reboot, select: all, rollout: {canary: many}}}\n", 2,
        ", line 2, column 88: ")]
    [InlineData("schedules:\n  - cron: 0 3 * * SUN\n", 2, ": schedule 1 has no name")]
    [InlineData("schedules:\n  - name: weekly\n    cron: 0 3 * * SUN\n", 2, ": schedule 'weekly' needs a job or a template, and not both")]
    [InlineData("schedules:\n  - {name: weekly, cron: 0 3 * * SUN, template: none}\n", 2, ": schedule 'weekly' names the template " +
        "'none', which is not in this file")]
    [InlineData("schedules:\n  - {name: weekly, cron: 0 3 30 2 *, job: {kind: reboot, select: all}}\n", 1, "bootstrap: schedule " +
        "'weekly': The cron line '0 3 30 2 *' never comes: there is no such day.")]
    [InlineData("schedules:\n  - {name: weekly, cron: 0 3 * * *, job: {kind: install, select: all, image: tiny}}\n", 2,
        "say --yes if that is meant")]
    public async Task A_file_that_is_not_understood_is_refused_with_its_place_and_nothing_is_made(string text, int exit, string sentence)
    {
        await using CommandLine line = await CommandLine.StartAsync();
        string file = Path.Combine(line.Folder, "schedules.yaml");
        await File.WriteAllTextAsync(file, text, s_end);
        (int code, _, string errors) = await line.RunAsync("jobs", "apply", "-f", file);
        Assert.Equal(exit, code);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', errors);
        Assert.Equal("[]\n", (await line.RunAsync("schedules", "list", "--json")).Output);
    }

    private static Task<SimulatedNode> ConnectAsync(CommandLine line, int number, NodeRole role = NodeRole.NetInst) =>
        SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse($"10000000dddd{number:d4}"), role, "arm64", s_end);
}
