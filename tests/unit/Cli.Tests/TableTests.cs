using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>What real terminals of several widths show of real lists.</summary>
public sealed class TableTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private static readonly string[] s_lists =
    [
        "nodes list", "nodes unapproved", "nodes show node-dd0001", "jobs list", "jobs list --kind reboot", "images list", "files list",
        "schedules list", "schedules calendar", "schedules next weekly", "users list", "tokens list", "audit", "boot list",
        "boot sets list", "profiles list", "profiles values", "dhcp show", "dhcp leases", "backups list", "notifications show",
    ];

    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(120)]
    [InlineData(200)]
    [InlineData(40)]
    public async Task On_a_terminal_lists_fit_and_nothing_is_cut_to_dots(int width)
    {
        await using CommandLine line = await FilledAsync();
        // The others lay out their columns by the same rules: one width of usual terminals and a narrow one are enough for them.
        foreach (string list in width is 80 or 40 ? s_lists : ["nodes list", "jobs list"])
        {
            string[] shown = await OnTerminalAsync(line, width, list);
            Assert.NotEmpty(shown);
            Assert.All(shown, l => Assert.True(l.Length <= width || l.StartsWith("Not shown: ", StringComparison.Ordinal), $"{list}: {l}"));
            Assert.DoesNotContain(shown, l => l.Contains('…'));
            Assert.DoesNotContain(shown, l => l.Split(' ').Any(word => word == "..."));
        }
        string[] nodes = await OnTerminalAsync(line, width, "nodes list");
        Assert.StartsWith("NAME", nodes[0], StringComparison.Ordinal);
        Assert.Contains(nodes, l => l.StartsWith("node-dd0001", StringComparison.Ordinal));
        string[] columns = ["NAME", "ID", "DISK IS", "CONNECTED AS", "MARK", "DOING", "ADDRESS", "MODEL", "IMAGE", "LOCATION", "TAGS"];
        string hidden = nodes.SingleOrDefault(l => l.StartsWith("Not shown: ", StringComparison.Ordinal)) ?? "";
        // What is not shown is said, but for what nobody has anything in.
        Assert.All(columns.Where(c => !Regex.IsMatch(nodes[0], $@"(^|  ){c}(  |$)") && c != "IMAGE"), c => Assert.Contains(c, hidden));
        Assert.All(width >= 80 ? ["NAME", "CONNECTED AS", "DISK IS", "DOING"] : new[] { "NAME", "CONNECTED AS" },
            c => Assert.Contains(c, nodes[0]));
        Assert.Equal(width >= 100, nodes[0].Contains("MODEL", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(130)]
    public async Task Wide_shows_all_of_all_columns_and_a_choice_of_columns_is_shown_in_its_order(int width)
    {
        await using CommandLine line = await FilledAsync();
        string[] wide = await OnTerminalAsync(line, width, "nodes list --wide");
        Assert.Matches("^NAME +ID +DISK IS +CONNECTED AS +MARK +DOING +ADDRESS +MODEL +IMAGE +LOCATION +TAGS$", wide[0]);
        Assert.Contains("Room 12, the third shelf from below, behind the second door on the left  camera rack-3", string.Join('\n', wide));
        Assert.Matches("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}  ", (await OnTerminalAsync(line, width, "jobs list --wide"))[1]);
        Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}  ", (await OnTerminalAsync(line, width, "jobs list"))[1]);

        string[] chosen = await OnTerminalAsync(line, width, "nodes list --columns tags,connected-as,name");
        Assert.Matches("^TAGS +CONNECTED AS +NAME$", chosen[0]);
        Assert.Matches("^camera rack-3 +net-inst +node-dd0001$", chosen[1]);
        (int code, string output, string errors) = await line.RunAsync("jobs", "list", "--columns", "id,colour");
        Assert.Equal((2, "", "bootstrap: there is no column 'colour': --columns takes id,kind,image,ordered,by,tasks"),
            (code, output, errors));
    }

    [Fact]
    public async Task In_a_pipe_a_table_is_whole()
    {
        await using CommandLine line = await FilledAsync();
        (int code, string output, string errors) = await line.RunAsync("nodes", "list");
        Assert.Equal((0, ""), (code, errors));
        string[] lines = output.TrimEnd('\n').Split('\n');
        Assert.Matches("^NAME +ID +DISK IS +CONNECTED AS +MARK +DOING +ADDRESS +MODEL +IMAGE +LOCATION +TAGS$", lines[0]);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, l => Assert.Equal(l.TrimEnd(), l));
        Assert.EndsWith("behind the second door on the left  camera rack-3", lines[1], StringComparison.Ordinal);
        Assert.Matches("\n[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}  ", (await line.RunAsync("jobs", "list")).Output);
        Assert.Matches("  [0-9a-f]{64}\n", (await line.RunAsync("images", "list")).Output);
    }

    [Theory]
    [InlineData(30, new[] { "NODE  CAUSE", "a     the card has failed and", "      nobody knows", "b     不不不不不不不不不不不不", "      不不不" })]
    [InlineData(null, new[] { "NODE  CAUSE", "a     the card has failed and nobody knows", "b     不不不不不不不不不不不不不不不" })]
    public void The_last_column_is_broken_at_blanks_and_wide_characters_count_twice(int? room, string[] lines)
    {
        var table = new TextTable(["NODE", "CAUSE"], [["a", "the card has failed and nobody knows"], ["b", "不不不不不不不不不不不不不不不"]]);
        Assert.Equal(lines, table.Lines([0, 1], room));
    }

    [Fact]
    public void Columns_leave_by_their_rank_those_without_content_first()
    {
        var table = new TextTable(["NAME", new("A", 1), new("EMPTY"), new("B", 2), new("TEXT")],
            [["node-1", "aaaaaaaa", "", "bbbbbbbb", "some text"]]);
        Assert.Equal([0, 1, 2, 3, 4], table.Fit(null));
        Assert.Equal([0, 1, 2, 3, 4], table.Fit(44));
        Assert.Equal([0, 1, 3, 4], table.Fit(43));
        Assert.Equal([0, 1, 4], table.Fit(36));
        Assert.Equal([0, 4], table.Fit(26));
        Assert.Equal([0], table.Fit(10));
    }

    /// <summary>Something in every list, in words of some length.</summary>
    private static async Task<CommandLine> FilledAsync()
    {
        CommandLine line = await CommandLine.StartAsync();
        for (int i = 1; i <= 2; i++)
        {
            SimulatedNode node = await SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse($"10000000dddd{i:d4}"),
                NodeRole.NetInst, "arm64", s_end);
            line.Kept.Add(node);
        }
        string image = Path.Combine(line.Folder, "raspberry-pi-os-lite-trixie-arm64.img"), profile = Path.Combine(line.Folder, "p.yaml");
        await File.WriteAllBytesAsync(image, TinyImage.Create(), s_end);
        await File.WriteAllTextAsync(profile, "profiles:\n  - name: classroom\n    description: What the pupils of the second floor get\n",
            s_end);
        foreach (string[] command in new string[][]
        {
            ["nodes", "set", "node-dd0001", "--tag", "camera", "--tag", "rack-3", "--location",
                "Room 12, the third shelf from below, behind the second door on the left"],
            ["images", "import", image, "--architecture", "arm64"],
            ["reboot", "node-dd0001"],
            ["reboot", "all", "--hold", "300"],
            ["profiles", "apply", "-f", profile],
            ["profiles", "set", "--group", "camera", "room=twelve"],
            ["schedules", "add", "weekly", "--cron", "0 3 * * SUN", "--zone", "Europe/Berlin", "--kind", "reboot",
                "--select", "tag=camera"],
            ["tokens", "add", "the script that backs things up at night", "--days", "30"],
        })
        {
            (int code, _, string errors) = await line.RunAsync(command);
            // How far an import is stands there, too, where it takes a while.
            Assert.Equal((string.Join(' ', command), 0, ""),
                (string.Join(' ', command), code, errors.StartsWith("importing ", StringComparison.Ordinal) ? "" : errors));
        }
        return line;
    }

    /// <summary>What a terminal of that width shows, line by line, without colours.</summary>
    private static async Task<string[]> OnTerminalAsync(CommandLine line, int width, string command)
    {
        (int code, string output, string errors) = await line.RunScriptAsync(
            $"export TERM=xterm; script -qec 'stty cols {width} rows 50; exec {CommandLine.Program} {command}' /dev/null < /dev/null");
        Assert.Equal((0, ""), (code, errors));
        return [.. Regex.Replace(output, @"\x1b(\[[0-9;?]*[A-Za-z]|[=>])", "").TrimEnd().Split('\n').Select(l => l.TrimEnd('\r'))];
    }
}
