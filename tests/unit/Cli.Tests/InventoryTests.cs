using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

public sealed class InventoryTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_board_is_labelled_shown_and_seen_on_the_command_line()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line);
        Assert.Equal((0, "", ""), await line.RunAsync("nodes", "set", "node-cdef01", "--tag", "camera", "--tag", "rack-3", "--note",
            "Fan is loud.", "--location", "Room 12"));
        Assert.Equal((0, "", ""), await line.RunAsync("nodes", "set", "node-cdef01", "--untag", "camera"));
        (int code, string output, string errors) = await line.RunAsync("nodes", "show", "node-cdef01");
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("(?m)^mark +new *$", output);
        Assert.Matches("(?m)^tags +rack-3 *$", output);
        Assert.Matches("(?m)^revision +c03114, 1[.]4, BCM2711, made by Sony UK *$", output);
        Assert.Matches("(?m)^ +plugged into rack-3, port Gi1/0/7, 10[.]0[.]0[.]2 *$", output);
        Assert.Matches("(?m) tags +person +camera rack-3 +rack-3 *$", output);
        (_, output, _) = await line.RunAsync("nodes", "show", "node-cdef01", "--json");
        Assert.Equal("Room 12", JsonDocument.Parse(output).RootElement.GetProperty("node").GetProperty("location").GetString());

        Assert.Equal((0, "", ""), await line.RunAsync("nodes", "acknowledge", "all"));
        (_, output, _) = await line.RunAsync("nodes", "list");
        Assert.Matches("node-cdef01 .* rack-3 *\n", output);
        Assert.DoesNotMatch(" net-inst +new ", output);

        (code, _, errors) = await line.RunAsync("nodes", "set", "node-cdef01", "--tag", "Camera");
        Assert.Equal((1, "bootstrap: 'Camera' is not a tag: use 1 to 32 of a-z, 0-9, '-' and '_'."), (code, errors));
        (code, _, errors) = await line.RunAsync("nodes", "set", "node-cdef01");
        Assert.Equal((2, "bootstrap: nothing is to be set: give --tag, --untag, --note or --location"), (code, errors));
    }

    [Fact]
    public async Task Words_choose_nodes_for_a_list_and_for_an_order_that_is_shown_before()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line);
        await line.RunAsync("nodes", "set", "node-cdef01", "--tag", "camera");
        Assert.Contains("node-cdef01", (await line.RunAsync("nodes", "list", "--select", "tag=camera model:\"4 model b\"")).Output,
            StringComparison.Ordinal);
        Assert.DoesNotContain("node-cdef01", (await line.RunAsync("nodes", "list", "--select", "tag=cam")).Output,
            StringComparison.Ordinal);
        (int code, string output, string errors) = await line.RunAsync("reboot", "--select", "tag=camera");
        Assert.Equal((1, "bootstrap: nothing was ordered"), (code, errors));
        Assert.Contains("To reboot: node-cdef01\nType the number of nodes (1) to go on: ", output, StringComparison.Ordinal);
        Assert.Equal((2, "", "bootstrap: no node is taken by 'tag=cam'"), await line.RunAsync("reboot", "--select", "tag=cam", "--yes"));
        Assert.Equal((2, "", "bootstrap: name the nodes, or choose them by --select WORDS; 'all' is every node"),
            await line.RunAsync("reboot"));
        (code, output, errors) = await line.RunAsync("reboot", "--select", "tag=camera", "--yes");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("node-cdef01", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ansible_reads_hosts_groups_and_variables()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line);
        await line.RunAsync("nodes", "set", "node-cdef01", "--tag", "rack-3", "--location", "Room 12");
        string script = await ScriptAsync(line);

        JsonElement inventory = JsonDocument.Parse(await CommandLine.ToolAsync("ansible-inventory", "-i", script, "--list")).RootElement;
        Assert.Equal("node-cdef01", inventory.GetProperty("tag_rack_3").GetProperty("hosts")[0].GetString());
        Assert.Equal("node-cdef01", inventory.GetProperty("arch_arm64").GetProperty("hosts")[0].GetString());
        JsonElement variables = inventory.GetProperty("_meta").GetProperty("hostvars").GetProperty("node-cdef01");
        Assert.Equal("127.0.0.1", variables.GetProperty("ansible_host").GetProperty("__ansible_unsafe").GetString());
        Assert.Equal("Room 12", variables.GetProperty("bootstrap_location").GetProperty("__ansible_unsafe").GetString());
        Assert.Equal("10000000abcdef01",
            JsonDocument.Parse((await line.RunAsync("nodes", "ansible", "--host",
            "node-cdef01")).Output).RootElement.GetProperty("bootstrap_id").GetProperty("__ansible_unsafe").GetString());
        Assert.Equal((1, "", "bootstrap: there is no node nobody"), await line.RunAsync("nodes", "ansible", "--host", "nobody"));
    }

    [Fact]
    public async Task What_a_node_says_is_no_template_to_Ansible()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        string witness = Path.Combine(line.Folder, "witness");
        string template = "{{ lookup('pipe', 'touch " + witness + "') }}";
        Inventory board = SimulatedNode.InventoryOf(NodeId.Parse("10000000abcdef02"), "arm64");
        board = board with
        {
            Serial = template,
            Model = template,
            Architecture = "arm64 {{ x }}",
            Interfaces = [board.Interfaces[0] with { Addresses = [template] }]
        };
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(line.Appliance.Info, board, NodeRole.NetInst, s_end);
        string script = await ScriptAsync(line);
        string told = await CommandLine.ToolAsync("ansible", "-i", script, "all", "-c", "local", "-m", "debug", "-a",
            "msg={{ bootstrap_serial }}{{ bootstrap_model }}");
        Assert.Contains("lookup('pipe'", told, StringComparison.Ordinal);
        await CommandLine.ToolAsync("ansible", "-i", script, "all", "-c", "local", "-m", "debug", "-a", "var=hostvars[inventory_hostname]");
        Assert.False(File.Exists(witness));
        JsonElement inventory = JsonDocument.Parse((await line.RunAsync("nodes", "ansible", "--list")).Output).RootElement;
        Assert.All(inventory.EnumerateObject(), group => Assert.Matches(@"\A[a-z_][a-z0-9_]*\z", group.Name));
    }

    [Fact]
    public async Task What_a_node_says_does_not_rule_the_terminal()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse("10000000abcdef03"),
            NodeRole.Slave, "arm64", s_end);
        Task<(int Code, string Output, string Errors)> running = line.RunAsync("jobs", "run", "--node", "all", "--wait", "--", "true");
        StartTask start = await node.AcceptTaskAsync(s_end);
        await node.SendAsync(new LogLines(start.TaskId, ["\u001b]0;owned\u0007red\u009b31m\rfake\nother-node: lie \u202egnp.exe"]), s_end);
        await node.SendAsync(new TaskEnded(start.TaskId, false, false, "\u001b[2Jbecause\r\nother-node  succeeded\u202e",
            DiskState.Untouched, ExitCode: 2), s_end);
        string output = (await running).Output;
        Assert.Contains("because", output, StringComparison.Ordinal);
        Assert.DoesNotContain(output, c => c != '\n' && (char.IsControl(c) || c is '\u202e'));
        Assert.DoesNotContain(output.Split('\n'), shown => shown.StartsWith("other-node", StringComparison.Ordinal));
    }

    [Fact]
    public async Task All_boards_are_exported_to_a_file_or_to_standard_output()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line);
        string file = Path.Combine(line.Folder, "nodes.json");
        Assert.Equal((0, "", ""), await line.RunAsync("nodes", "export", "--json", file));
        Assert.Equal("node-cdef01", JsonDocument.Parse(await File.ReadAllTextAsync(file, s_end)).RootElement[0].GetProperty("name")
            .GetString());
        (int code, string output, string errors) = await line.RunAsync("nodes", "export", "--csv", "-");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("\r\nnode-cdef01,10000000abcdef01,net-inst,new,new,", output, StringComparison.Ordinal);
        (code, _, errors) = await line.RunAsync("nodes", "export", "-");
        Assert.Equal((2, "bootstrap: say which: --csv or --json"), (code, errors));
        (code, _, errors) = await line.RunAsync("nodes", "export", "--csv", Path.Combine(line.Folder, "no-such-folder", "nodes.csv"));
        Assert.Equal(1, code);
        Assert.Contains("nodes.csv cannot be written: ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_is_told_whether_a_board_blinks()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await ConnectAsync(line);
        Task<(int, string, string)> asking = line.RunAsync("nodes", "locate", "node-cdef01", "--seconds", "20");
        Assert.Equal(20, (await node.AnswerLocateAsync("ACT", cancellation: s_end)).Seconds);
        Assert.Equal((0, "ACT blinks for 20 s\n", ""), await asking);
        asking = line.RunAsync("nodes", "locate", "node-cdef01");
        await node.AnswerLocateAsync("", "the board has no activity LED", s_end);
        Assert.Equal((1, "", "bootstrap: node-cdef01 cannot blink: the board has no activity LED."), await asking);
    }

    /// <summary>Ansible's inventory script.</summary>
    private static async Task<string> ScriptAsync(CommandLine line)
    {
        string script = Path.Combine(line.Folder, "inventory");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nexec env BOOTSTRAP_CONNECTION={line.Folder}/connection.json " +
            $"{CommandLine.Program} nodes ansible \"$@\"\n", s_end);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return script;
    }

    private static Task<SimulatedNode> ConnectAsync(CommandLine line)
    {
        Inventory board = SimulatedNode.InventoryOf(NodeId.Parse("10000000abcdef01"), "arm64");
        board = board with
        {
            Interfaces = [board.Interfaces[0] with { Switch = new SwitchPort("00:11:22:33:44:55", "Gi1/0/7", "", "rack-3",
            "10.0.0.2") }]
        };
        return SimulatedNode.ConnectAsync(line.Appliance.Info, board, NodeRole.NetInst, s_end);
    }
}
