using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Http;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What is known of each board, what has changed, what people say of it, and how it leaves as a file.</summary>
public sealed class InventoryTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private static readonly SwitchPort s_port = new("00:11:22:33:44:55", "Gi1/0/7", "", "rack-3", "10.0.0.2");

    private readonly SettableClock _clock = new();

    private protected override TimeProvider Clock => _clock;

    [Fact]
    public async Task A_new_board_is_marked_until_a_person_has_seen_it_and_a_changed_one_again()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0001");
        Assert.Equal("new", await MarkAsync(node));
        await AcknowledgeAsync(node);
        Assert.Equal("none", await MarkAsync(node));
        _clock.Now += TimeSpan.FromMinutes(5);

        DiskInfo other = node.Inventory.Disks[0] with { Serial = "0x99", SizeBytes = 63_864_569_856 };
        node.Inventory = node.Inventory with { Disks = [other], Firmware = "2026-02-03" };
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        Assert.Equal("changed", await MarkAsync(node));
        JsonNode[] changes = await ChangesAsync(node);
        Assert.Equal(["card", "firmware"], changes.Select(c => c["field"]!.ToString()).Order());
        JsonNode card = changes.Single(c => c["field"]!.ToString() == "card");
        Assert.StartsWith("SD32G 31.9 GB ", card["old"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("SD32G 63.9 GB 0x99", card["new"]!.ToString());
        Assert.Equal(("slave", _clock.Now.ToUnixTimeMilliseconds()), (card["source"]!.ToString(), (long)card["at"]!));
        await AcknowledgeAsync(node);
        Assert.Equal("none", await MarkAsync(node));
    }

    [Fact]
    public async Task NetInst_with_its_own_kernel_and_a_restart_change_nothing()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0002");
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await AcknowledgeAsync(node);
        Inventory own = node.Inventory;
        // NetInst has no driver for Wi-Fi, another kernel, and that leaves a little less memory.
        node.Inventory = own with { Kernel = "6.12.0-netinst", MemoryBytes = own.MemoryBytes - 70_000_000, Interfaces = [] };
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        node.Inventory = own;
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        Assert.Empty(await ChangesAsync(node));
        Assert.Equal("none", await MarkAsync(node));
    }

    [Fact]
    public async Task A_new_kernel_is_history_and_no_mark()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0003");
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await AcknowledgeAsync(node);
        node.Inventory = node.Inventory with { Kernel = "6.1.0-38-arm64" };
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        JsonNode change = Assert.Single(await ChangesAsync(node));
        Assert.Equal(("kernel", "6.1.0-35-arm64", "6.1.0-38-arm64"),
            (change["field"]!.ToString(), change["old"]!.ToString(), change["new"]!.ToString()));
        Assert.Equal("none", await MarkAsync(node));
    }

    [Fact]
    public async Task A_board_that_moves_to_another_switch_port_is_marked_and_silence_forgets_nothing()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0004");
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await ReportAsync(node, s_port);
        await AcknowledgeAsync(node);
        Assert.Empty(await ChangesAsync(node)); // told for the first time
        await node.RestartAsync(NodeRole.NetInst, cancellation: s_end);
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        Assert.Equal("Gi1/0/7", (await GetAsync($"nodes/{node.Id}"))["inventory"]!["interfaces"]![0]!["switch"]!["port"]!.ToString());
        Assert.Empty(await ChangesAsync(node));

        _clock.Now += TimeSpan.FromHours(2);
        await ReportAsync(node, s_port with { Port = "Gi1/0/8" });
        JsonNode change = Assert.Single(await ChangesAsync(node));
        Assert.Equal(("switch", "rack-3 port Gi1/0/7", "rack-3 port Gi1/0/8"),
            (change["field"]!.ToString(), change["old"]!.ToString(), change["new"]!.ToString()));
        Assert.Equal("changed", await MarkAsync(node));

        // Bad contact: back where it was within the hour, and nothing is left of it.
        await ReportAsync(node, null);
        await ReportAsync(node, s_port with { Port = "Gi1/0/8" });
        await ReportAsync(node, s_port);
        Assert.Empty(await ChangesAsync(node));
        Assert.Equal("none", await MarkAsync(node));
    }

    [Fact]
    public async Task Names_tags_and_locations_are_set_by_people_and_kept_in_the_history()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0005");
        await EditAsync(node,
            new { tags = new[] { "rack-3", "camera" }, location = " Room 12 ", note = "Fan is loud.\nOrdered a new one." });
        await EditAsync(node, new { addTags = new[] { "spare", "camera" }, removeTags = new[] { "rack-3" }, name = "front-1" });
        JsonNode seen = await GetAsync($"nodes/{node.Id}");
        Assert.Equal(["camera", "spare"], seen["tags"]!.AsArray().Select(t => t!.ToString()));
        Assert.Equal(("Room 12", "Fan is loud.\nOrdered a new one.", "front-1"),
            (seen["location"]!.ToString(), seen["note"]!.ToString(), seen["name"]!.ToString()));
        Assert.Equal(["location", "name", "tags", "tags"], (await ChangesAsync(node)).Select(c => c["field"]!.ToString()).Order());
        Assert.All(await ChangesAsync(node), c => Assert.Equal("person", c["source"]!.ToString()));
    }

    [Theory]
    [InlineData("""{"tags":["Camera"]}""", "'Camera' is not a tag: use 1 to 32 of a-z, 0-9, '-' and '_'.")]
    [InlineData("""{"addTags":[""]}""", "'' is not a tag: use 1 to 32 of a-z, 0-9, '-' and '_'.")]
    [InlineData("""{"addTags":["abcdefghijklmnopqrstuvwxyz0123456"]}""",
        "'abcdefghijklmnopqrstuvwxyz0123456' is not a tag: use 1 to 32 of a-z, 0-9, '-' and '_'.")]
    [InlineData("""{"addTags":["a\n"]}""", "'a\n' is not a tag: use 1 to 32 of a-z, 0-9, '-' and '_'.")]
    [InlineData("""{"location":"a\nb"}""", "A location is one line of at most 200 characters; this one has 3, or more lines.")]
    [InlineData("""{"note":"a\u0000b"}""",
        "A note is text of at most 4000 characters; this one has 3, or characters that cannot be shown.")]
    public async Task What_is_no_label_is_refused_in_one_sentence_and_nothing_is_changed(string edit, string sentence)
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0006");
        JsonNode whole = JsonNode.Parse(edit)!;
        whole["name"] = "front-1";
        using HttpResponseMessage refused = await Api.PatchAsJsonAsync($"nodes/{node.Id}", whole, s_end);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(sentence, (await refused.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString());
        Assert.Equal("node-bb0006", (await GetAsync($"nodes/{node.Id}"))["name"]!.ToString());
    }

    [Fact]
    public async Task The_revision_code_of_a_Pi_is_read()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0007");
        JsonNode revision = (await GetAsync($"nodes/{node.Id}"))["revision"]!;
        Assert.Equal(("Raspberry Pi 4 Model B", "1.4", 4L << 30, "Sony UK", "BCM2711"),
            (revision["model"]!.ToString(), revision["revision"]!.ToString(),
            (long)revision["memoryBytes"]!, revision["maker"]!.ToString(), revision["processor"]!.ToString()));
    }

    [Theory]
    [InlineData("\t=1+1")]
    [InlineData("\r=1+1")]
    [InlineData("\tDDE")]
    [InlineData("+1")]
    [InlineData("＝1+1")]
    public void A_cell_that_a_spreadsheet_could_compute_is_text(string cell)
    {
        var csv = new CsvText();
        csv.Line(cell);
        Assert.StartsWith("'", csv.ToString().TrimStart('"'), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_is_exported_as_a_spreadsheet_that_holds_no_formulas()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0008");
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        await ReportAsync(node, s_port with { SystemName = "=cmd|'/c calc'!A1", Port = " @SUM(A1)" });
        await EditAsync(node, new { note = "said \"soon\",\nthen left", location = "-1st floor", tags = new[] { "b", "a" } });

        using HttpResponseMessage response = await Api.GetAsync("nodes.csv", s_end);
        Assert.Equal("text/csv", response.Content.Headers.ContentType!.MediaType);
        string csv = await response.Content.ReadAsStringAsync(s_end);
        Assert.StartsWith("name,id,link,lifecycle,mark,tags,location,note,address,", csv, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", csv, StringComparison.Ordinal);
        Assert.Contains("\r\nnode-bb0008,10000000bbbb0008,slave,new,new,a b,'-1st floor,\"said \"\"soon\"\",\nthen left\",127.0.0.1,", csv,
            StringComparison.Ordinal);
        Assert.Contains(",'=cmd|'/c calc'!A1,' @SUM(A1),10.0.0.2,", csv, StringComparison.Ordinal);
        Assert.Single((await Api.GetStringAsync("nodes.csv?select=tag=absent", s_end))
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty((await GetAsync("nodes.json?select=state:offline")).AsArray());
        JsonArray json = (await GetAsync("nodes.json?select=tag=a")).AsArray();
        Assert.Equal("=cmd|'/c calc'!A1", Assert.Single(json)!["inventory"]!["interfaces"]![0]!["switch"]!["systemName"]!.ToString());
    }

    [Fact]
    public async Task The_history_of_a_node_is_bounded_and_addresses_do_not_fill_it()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb0009");
        await EditAsync(node, new { location = "first" });
        var history = (Features.Nodes.NodeHistory)Appliance.Services.GetService(typeof(Features.Nodes.NodeHistory))!;
        var database = (Storage.Database)Appliance.Services.GetService(typeof(Storage.Database))!;
        for (int i = 0; i < 1000; i++)
        {
            _clock.Now += TimeSpan.FromMinutes(1);
            database.Write(c => history.Introduced(c, node.Inventory, Features.Nodes.LinkState.NetInst, "", $"10.0.{i / 250}.{i % 250}"));
        }
        Assert.Equal(["address", "location"], (await ChangesAsync(node)).Select(c => c["field"]!.ToString()));
        database.Write(c =>
        {
            for (int i = 0; i < 600; i++)
            {
                history.Edited(c, node.Id, "location", "", i.ToString(CultureInfo.InvariantCulture));
            }
        });
        JsonNode[] kept = await ChangesAsync(node);
        Assert.Equal((Features.Nodes.NodeHistory.Kept, "599"), (kept.Length, kept[0]["new"]!.ToString()));
    }

    [Fact]
    public async Task A_board_that_blinks_says_so_and_one_that_cannot_says_why()
    {
        await using SimulatedNode node = await ConnectAsync("10000000bbbb000a");
        Task<HttpResponseMessage> asking = Api.PostAsJsonAsync($"nodes/{node.Id}/locate", new { seconds = 30 }, s_end);
        Assert.Equal(30, (await node.AnswerLocateAsync("ACT", cancellation: s_end)).Seconds);
        Assert.Equal("ACT", (await (await asking).Content.ReadFromJsonAsync<JsonNode>(s_end))!["led"]!.ToString());

        asking = Api.PostAsJsonAsync($"nodes/{node.Id}/locate", new { }, s_end);
        Assert.Equal(60, (await node.AnswerLocateAsync("", "the board has no activity LED", s_end)).Seconds);
        Assert.Equal("node-bb000a cannot blink: the board has no activity LED.", await RefusalAsync(await asking, HttpStatusCode.Conflict));

        Assert.Equal("A board blinks for 1 to 3600 seconds (0 ends it), not 9999.",
            await RefusalAsync(await Api.PostAsJsonAsync($"nodes/{node.Id}/locate", new { seconds = 9999 }, s_end),
                HttpStatusCode.BadRequest));
        await node.DisconnectAsync(s_end);
        await Poll.UntilAsync(() => GetAsync($"nodes/{node.Id}"), n => n["link"]!.ToString() == "offline", s_end);
        Assert.Equal("node-bb000a is not connected: only a board that runs can blink.",
            await RefusalAsync(await Api.PostAsJsonAsync($"nodes/{node.Id}/locate", new { }, s_end), HttpStatusCode.Conflict));
    }

    /// <summary>Reports what its first interface is plugged into, and waits until that is known.</summary>
    private async Task ReportAsync(SimulatedNode node, SwitchPort? port)
    {
        Inventory said = node.Inventory with
        {
            System = "Debian GNU/Linux 12 (bookworm)",
            Interfaces = [node.Inventory.Interfaces[0] with { Switch = port }]
        };
        await node.SendAsync(new InventoryReport(said), s_end);
        await Poll.UntilAsync(() => GetAsync($"nodes/{node.Id}"),
            n => n["inventory"]!["interfaces"]![0]!["switch"]?["port"]?.ToString() == port?.Port, s_end);
    }

    private async Task EditAsync(SimulatedNode node, object edit)
    {
        using HttpResponseMessage response = await Api.PatchAsJsonAsync($"nodes/{node.Id}", edit, s_end);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(s_end));
    }

    private async Task AcknowledgeAsync(SimulatedNode node) =>
        Assert.Equal(HttpStatusCode.OK, (await Api.PostAsync($"nodes/{node.Id}/acknowledge", null, s_end)).StatusCode);

    private async Task<string> MarkAsync(SimulatedNode node) => (await GetAsync($"nodes/{node.Id}"))["mark"]!.ToString();

    private async Task<JsonNode[]> ChangesAsync(SimulatedNode node) =>
        [.. (await GetAsync($"nodes/{node.Id}/changes")).AsArray().Select(c => c!)];

    private async Task<JsonNode> GetAsync(string path) => (await Api.GetFromJsonAsync<JsonNode>(path, s_end))!;

    private static async Task<string> RefusalAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        using (response)
        {
            Assert.Equal(status, response.StatusCode);
            return (await response.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString();
        }
    }
}
