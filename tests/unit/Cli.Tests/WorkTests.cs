using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>Orders of work, from the command line to what a node is told and back.</summary>
public sealed class WorkTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_reaches_the_node_word_by_word_and_its_output_and_exit_code_come_back()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        Task<(int Code, string Output, string Errors)> running = line.RunAsync(
            "jobs", "run", "--node", "all", "--user", "pi", "--env", "A=b=c", "--timeout", "60", "--wait", "--", "ls", "-l", "a b",
                "--json");
        StartTask start = await node.AcceptTaskAsync(s_end);
        var order = Assert.IsType<RunOrder>(start.Order);
        Assert.Equal(["ls", "-l", "a b", "--json"], order.Command);
        Assert.Equal(("pi", "/", 60, "b=c"), (order.User, order.Folder, order.TimeoutSeconds, order.Environment["A"]));
        await node.SendAsync(new LogLines(start.TaskId, ["one", "stderr: two"]), s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "the command ended with exit code 2", DiskState.Untouched,
            ExitCode: 2), s_end);
        (int code, string output, string errors) = await running;
        Assert.Equal((1, ""), (code, errors));
        Assert.Contains("node-cdef01: one\nnode-cdef01: stderr: two\n", output, StringComparison.Ordinal);
        Assert.Matches("node-cdef01 +failed +2 +the command ended with exit code 2", output);
    }

    [Fact]
    public async Task Chosen_nodes_are_shown_before_a_command_runs_on_them()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        (int code, string output, string errors) = await line.RunAsync([], "", "jobs", "run", "--select", "all", "--shell", "true");
        Assert.Equal((1, "bootstrap: nothing was ordered"), (code, errors));
        Assert.StartsWith("To run: node-cdef01\n", output, StringComparison.Ordinal);
        Assert.Equal((2, "", "bootstrap: --env takes NAME=VALUE, and not 'A'"),
            await line.RunAsync("jobs", "run", "--node", "all", "--env", "A", "--", "true"));
        (code, _, errors) = await line.RunAsync("jobs", "run", "--node", "all");
        Assert.Equal(1, code);
        Assert.Contains("either 'command'", errors);
    }

    [Fact]
    public async Task What_is_printed_for_programs_is_JSON_to_its_last_byte_also_where_progress_is_shown()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        string file = Path.Combine(line.Folder, "tiny.img");
        await File.WriteAllBytesAsync(file, TinyImage.Create(), s_end);
        (int code, string output, string errors) = await line.RunAsync("images", "import", file, "--architecture", "arm64", "--json");
        Assert.True(code == 0, errors);
        Assert.Equal("tiny", JsonNode.Parse(output)!["name"]!.ToString());

        Task<(int Code, string Output, string Errors)> waiting =
            line.RunAsync("jobs", "run", "--node", "all", "--yes", "--wait", "--json", "--", "true");
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched, ExitCode: 0), s_end);
        (code, output, errors) = await waiting;
        Assert.True(code == 0, errors);
        Assert.Equal("succeeded", JsonNode.Parse(output)!["tasks"]![0]!["state"]!.ToString());
    }

    [Fact]
    public async Task A_word_that_begins_with_an_at_sign_is_a_word()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        Assert.Equal((0, ""), await CodeAndErrorsAsync("nodes", "set", "node-cdef01", "--note", "@jane"));
        string shown = (await line.RunAsync("nodes", "show", "node-cdef01", "--json")).Output;
        Assert.Equal("@jane", JsonNode.Parse(shown)!["node"]!["note"]!.ToString());
        Assert.Equal((0, ""), await CodeAndErrorsAsync("schedules", "add", "weekly", "--cron", "@weekly", "--zone", "UTC",
            "--kind", "reboot", "--select", "tag=camera"));
        Assert.Equal("@weekly", JsonNode.Parse((await line.RunAsync("schedules", "list", "--json")).Output)![0]!["cron"]!.ToString());

        async Task<(int, string)> CodeAndErrorsAsync(params string[] words)
        {
            (int code, _, string errors) = await line.RunAsync(words);
            return (code, errors);
        }
    }

    [Fact]
    public async Task An_update_by_an_image_says_what_is_kept()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        string file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, TinyImage.Create(), s_end);
        Assert.Equal(0, (await line.RunAsync("images", "import", file, "--name", "tiny", "--architecture", "arm64")).Code);
        File.Delete(file);
        string[] update = ["update", "node-cdef01", "--image", "tiny", "--yes"];
        Assert.Equal(0, (await line.RunAsync(update)).Code);
        StartTask start = await node.ReceiveAsync<StartTask>(s_end);
        Assert.Equal(["/home", "/etc/ssh/ssh_host_*", "/etc/machine-id"], Assert.IsType<InstallOrder>(start.Order).Keep!);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "no", DiskState.Untouched), s_end);
        Assert.Equal(0, (await line.RunAsync([.. update, "--keep", "/srv", "--keep", "/home/*/data", "--grace", "0"])).Code);
        start = await node.ReceiveAsync<StartTask>(s_end);
        Assert.Equal(["/srv", "/home/*/data"], Assert.IsType<InstallOrder>(start.Order).Keep!);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "no", DiskState.Untouched), s_end);
        Assert.Equal(0, (await line.RunAsync([.. update, "--keep-nothing"])).Code);
        Assert.Empty(Assert.IsType<InstallOrder>((await node.ReceiveAsync<StartTask>(s_end)).Order).Keep!);
        Assert.Equal((2, "", "bootstrap: --keep and --keep-nothing exclude each other"),
            await line.RunAsync([.. update, "--keep", "/srv", "--keep-nothing"]));
        Assert.Equal((2, "", "bootstrap: --package is of an update of packages alone"),
            await line.RunAsync([.. update, "--package", "curl"]));
        Assert.Equal((2, "", "bootstrap: --keep is of an update by an --image alone"),
            await line.RunAsync("update", "all", "--keep", "/srv"));
        Assert.Equal((2, "", "bootstrap: --whole is of an update by an --image alone"), await line.RunAsync("update", "all", "--whole"));
        // The appliance refuses a parameter that it does not know.
        Assert.Equal(0, (await line.RunAsync([.. update, "--whole"])).Code);
        string shown = (await line.RunAsync("images", "list")).Output;
        Assert.Contains("SLOTS", shown);
    }

    [Fact]
    public async Task An_update_and_a_restart_with_grace_say_what_was_asked_for()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        Task<(int Code, string Output, string Errors)> running = line.RunAsync("update", "node-cdef01", "--package", "curl", "--package",
            "git", "--wait");
        StartTask start = await node.AcceptTaskAsync(s_end);
        Assert.Equal(["curl", "git"], Assert.IsType<UpdateOrder>(start.Order).Packages);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched, ExitCode: 0, Note: "a restart is needed"),
            s_end);
        (int code, string output, _) = await running;
        Assert.Equal(0, code);
        Assert.Contains("a restart is needed", output);
        Assert.Equal(0, (await line.RunAsync("reboot", "all", "--grace", "60", "--message", "Kernel update")).Code);
        start = await node.ReceiveAsync<StartTask>(s_end);
        Assert.Equal(new RebootOrder(new UserWarning(60, "Kernel update")), start.Order);
    }

    [Fact]
    public async Task An_update_of_the_boot_firmware_says_who_has_looked_at_the_power_and_tells_what_runs()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        Task<(int Code, string Output, string Errors)> running = line.RunAsync("update", "--firmware", "all", "--wait");
        StartTask start = await node.AcceptTaskAsync(s_end);
        Assert.Equal(new FirmwareOrder(null, PowerChecked: false), start.Order);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched, Note: "the board runs the boot firmware " +
            "of 2025-05-08"), s_end);
        (int code, string output, _) = await running;
        Assert.Equal(0, code);
        Assert.Matches("node-cdef01 +succeeded +the board runs the boot firmware of 2025-05-08", output);
        Assert.Equal(0, (await line.RunAsync("update", "all", "--firmware", "--power-checked", "--direct-write", "--grace", "60",
            "--message", "EEPROM")).Code);
        Assert.Equal(new FirmwareOrder(new UserWarning(60, "EEPROM"), PowerChecked: true, AllowDirectWrite: true),
            (await node.ReceiveAsync<StartTask>(s_end)).Order);

        (code, output, string errors) = await line.RunAsync([], "", "update", "--firmware", "--select", "all");
        Assert.Equal((1, "bootstrap: nothing was ordered"), (code, errors));
        Assert.StartsWith("To update the boot firmware of, and restart: node-cdef01\n", output, StringComparison.Ordinal);
        Assert.Equal((2, "", "bootstrap: --package is of an update of packages alone"),
            await line.RunAsync("update", "all", "--firmware", "--package", "curl"));
        Assert.Equal((2, "", "bootstrap: --image is of an update by an --image alone"),
            await line.RunAsync("update", "all", "--firmware", "--image", "tiny"));
        Assert.Equal((2, "", "bootstrap: --power-checked is of an update of the boot --firmware alone"),
            await line.RunAsync("update", "all", "--power-checked"));
        Assert.Equal((2, "", "bootstrap: --grace is of an update by an --image or of the boot --firmware alone"),
            await line.RunAsync("update", "all", "--grace", "60"));
    }

    [Fact]
    public async Task A_file_is_uploaded_and_the_node_is_told_where_it_goes()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await NodeAsync(line);
        string file = Path.Combine(line.Folder, "app.conf");
        await File.WriteAllTextAsync(file, "answer = 42\n", s_end);
        (int code, _, string errors) = await line.RunAsync("deploy", file, "/etc/app.conf", "--node", "all", "--mode", "0600", "--then",
            "systemctl restart app");
        Assert.Equal((0, ""), (code, errors));
        StartTask start = await node.AcceptTaskAsync(s_end);
        var order = Assert.IsType<DeployOrder>(start.Order);
        Assert.Equal(("/etc/app.conf", false, 0x180, Digest.Of("answer = 42\n"u8)),
            (order.Path, order.Unpack, order.Mode, order.File.Digest));
        Assert.Equal(["/bin/sh", "-c", "systemctl restart app"], order.Command);
        Assert.Contains("app.conf", (await line.RunAsync("files", "list")).Output);
        // The node may still fetch it.
        (code, _, errors) = await line.RunAsync("files", "remove", "app.conf");
        Assert.Equal(1, code);
        Assert.Contains("which has not ended, deploys 'app.conf': wait for its end, or cancel it first.", errors, StringComparison.Ordinal);
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Untouched), s_end);
        await Poll.UntilAsync(() => line.RunAsync("files", "remove", "app.conf"), removed => removed == (0, "", ""), s_end);
        Assert.Equal((1, "", "bootstrap: there is no file 'app.conf': see `bootstrap files list`"),
            await line.RunAsync("files", "remove", "app.conf"));
    }

    private static Task<SimulatedNode> NodeAsync(CommandLine line) =>
        SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse("10000000abcdef01"), NodeRole.Slave, "arm64", s_end);
}
