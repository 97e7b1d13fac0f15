using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>The boot doctor of a whole appliance, by its API.</summary>
public sealed class BootReportTests : ApplianceTest
{
    private static readonly IPAddress s_board = IPAddress.Parse("10.0.0.7");

    private readonly CancellationToken _end = TestContext.Current.CancellationToken;

    private BootRecorder Recorder => Appliance.Services.GetRequiredService<BootRecorder>();

    [Fact]
    public async Task An_unknown_board_is_listed_with_what_its_first_message_tells()
    {
        Recorder.Asked(Discover(s_board));
        Recorder.Asked(Discover(s_board) with { Mac = new MacAddress(1), Kind = BootClientKind.None });
        JsonNode board = (await GetAsync("boot/boards")).AsArray().Single()!;
        Assert.Equal("dc:a6:32:01:36:c2", board["mac"]!.ToString());
        Assert.Equal("Raspberry Pi 4 Model B Rev 1.4", board["model"]!.ToString());
        Assert.Equal("01eeffc0", board["serial"]!.ToString());
        Assert.Equal("Raspberry Pi", board["vendor"]!.ToString());
        Assert.Null(board["node"]);
        Assert.Equal("[]", await Api.GetStringAsync("nodes", _end));
    }

    [Theory]
    [InlineData(BootClientKind.Unserved, 15, "32-bit x86 UEFI, HTTP boot", "unserved-architecture")]
    [InlineData(BootClientKind.Unserved, null, "a PXE client of no architecture", "unserved-architecture")]
    [InlineData(BootClientKind.UefiArm64, 22, "U-Boot", "under-way")]
    public async Task A_board_is_listed_as_what_it_asks_as(BootClientKind kind, int? architecture, string program, string rule)
    {
        Recorder.Asked(Discover(s_board) with
        {
            Mac = new MacAddress(0x525400000001),
            Kind = kind,
            MachineId = default,
            Architecture = architecture,
        });
        JsonNode board = (await GetAsync("boot/boards")).AsArray().Single()!;
        Assert.Equal((program, null), (board["program"]!.ToString(), board["model"]));
        JsonNode finding = (await GetAsync("boot/boards/52:54:00:00:00:01/explain"))["findings"]!.AsArray().Single()!;
        Assert.Equal((rule, board["headline"]!.ToString()), (finding["rule"]!.ToString(), finding["cause"]!.ToString()));
    }

    [Theory]
    [InlineData(1024, "before October 2022")]
    [InlineData(1468, "October 2022 or later")]
    public async Task The_age_of_an_eeprom_is_told_by_its_requests_until_net_inst_has_read_its_version(int blockSize, string eeprom)
    {
        Recorder.Asked(Discover(s_board));
        Assert.Null((await GetAsync("boot/boards"))[0]!["eeprom"]);
        Recorder.Fetched(new TftpSighting(new BootClient(s_board, null), "01eeffc0/config.txt", TftpOutcome.Completed, 9,
            null)
        { Length = 9, BlockSize = blockSize });
        Assert.Equal(eeprom, (await GetAsync("boot/boards"))[0]!["eeprom"]!.ToString());
    }

    [Fact]
    public async Task A_board_that_introduces_itself_is_merged_into_its_node()
    {
        Recorder.Asked(Discover(s_board));
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse("1000000001eeffc0"),
            NodeRole.NetInst, "arm64", _end);
        await node.ReceiveAsync<Wait>(_end);
        foreach (string name in new[] { "dc:a6:32:01:36:c2", "dc-a6-32-01-36-c2", "01eeffc0", "1000000001eeffc0", "node-eeffc0" })
        {
            JsonNode explained = await GetAsync($"boot/boards/{name}/explain");
            Assert.Equal("1000000001eeffc0", explained["board"]!["node"]!.ToString());
            Assert.Equal("waits", explained["findings"]![0]!["rule"]!.ToString());
        }
        JsonArray events = (await GetAsync("boot/boards/01eeffc0/conversations"))[0]!["events"]!.AsArray();
        Assert.Equal(["discover", "net-inst", "waiting"], events.Select(e => (e!["asked"] ?? e["stage"])!.ToString()));
    }

    [Fact]
    public async Task A_board_that_was_never_seen_is_a_sentence()
    {
        using HttpResponseMessage response = await Api.GetAsync("boot/boards/dc:a6:32:00:00:00/explain", _end);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("was seen booting", await response.Content.ReadAsStringAsync(_end));
    }

    [Fact]
    public async Task Requests_for_boot_files_over_HTTP_are_part_of_the_conversation()
    {
        Recorder.Asked(Discover(IPAddress.Loopback));
        using var board = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{Appliance.Options.Http}/") };
        Assert.Equal(HttpStatusCode.NotFound, (await board.GetAsync("boot/files/01eeffc0/no-such-file", _end)).StatusCode);
        Assert.Equal(4, (await board.GetByteArrayAsync("netinst/arm64/kernel", _end)).Length);
        JsonArray events = (await Poll.UntilAsync(() => GetAsync("boot/boards/01eeffc0/conversations"),
            c => c[0]!["events"]!.AsArray().Count == 3, _end))[0]!["events"]!.AsArray();
        Assert.Equal(("boot/files/01eeffc0/no-such-file", "not-found"),
            (events[1]!["path"]!.ToString(), events[1]!["outcome"]!.ToString()));
        Assert.Equal(("netinst/arm64/kernel", "completed", 4),
            (events[2]!["path"]!.ToString(), events[2]!["outcome"]!.ToString(), (int)events[2]!["bytes"]!));
    }

    [Fact]
    public async Task Those_who_watch_are_told()
    {
        using HttpResponseMessage stream = await Api.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, _end);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(_end));
        await lines.ReadLineAsync(_end); // the stream is open
        Recorder.Asked(Discover(s_board));
        string? line;
        do
        {
            line = await lines.ReadLineAsync(_end);
        }
        while (line != "event: boot");
        JsonNode told = JsonNode.Parse((await lines.ReadLineAsync(_end))!["data: ".Length..])!;
        Assert.Equal("dc:a6:32:01:36:c2", told["board"]!["mac"]!.ToString());
        Assert.Equal("discover", told["events"]![0]!["asked"]!.ToString());
    }

    [Fact]
    public async Task Whatever_happens_once_the_stream_is_open_is_told()
    {
        EventHub hub = Appliance.Services.GetRequiredService<EventHub>();
        for (int i = 0; i < 50; i++)
        {
            using HttpResponseMessage stream = await Api.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, _end);
            hub.Publish("job", i);
            using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(_end));
            Assert.Equal(["retry: 1000", ""], [await lines.ReadLineAsync(_end), await lines.ReadLineAsync(_end)]);
            // Others may tell something as well: that a node is there, for one.
            while (await lines.ReadLineAsync(_end) != "event: job")
            {
            }
            Assert.Equal($"data: {i}", await lines.ReadLineAsync(_end));
        }
    }

    [Fact]
    public async Task What_was_seen_outlives_a_restart_and_old_conversations_are_forgotten()
    {
        string folder = Directory.CreateTempSubdirectory("test-boot-").FullName;
        using var database = new Database(Path.Combine(folder, "appliance.db"));
        var clock = new SettableClock();
        using (BootRecorder before = new(new BootStore(database), new NoiseCounter(), new DataDisk(folder, () => { }, TimeProvider.System),
            clock))
        {
            await before.StartAsync(_end);
            for (int boot = 0; boot < BootStore.Kept + 5; boot++)
            {
                before.Asked(Discover(s_board) with { Answered = null, Address = null });
                before.Fetched(new TftpSighting(new BootClient(s_board, null), "01eeffc0/kernel8.img", TftpOutcome.Completed, 9,
                    null)
                { Length = 9, BlockSize = 1468 });
                clock.Now += TimeSpan.FromMinutes(5);
            }
            await before.StopAsync(_end);
        }
        using BootRecorder after = new(new BootStore(database), new NoiseCounter(), new DataDisk(folder, () => { }, TimeProvider.System),
            clock);
        IReadOnlyList<Conversation> kept = after.Conversations(BootRecording.Mac);
        Assert.Equal(BootStore.Kept, kept.Count);
        Assert.Equal(kept.OrderByDescending(c => c.StartedAt), kept);
        Assert.Equal(9, Assert.IsType<FileEvent>(kept[0].Events[1]).Length);
        Assert.Equal("01eeffc0", after.Read(timeline => timeline.Boards[BootRecording.Mac].Serial));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_another_version_has_kept_and_nobody_can_read_is_left_out()
    {
        string folder = Directory.CreateTempSubdirectory("test-boot-").FullName;
        using (var database = new Database(Path.Combine(folder, "appliance.db")))
        {
            using (BootRecorder before = new(new BootStore(database), new NoiseCounter(),
                new DataDisk(folder, () => { }, TimeProvider.System), TimeProvider.System))
            {
                before.Asked(Discover(s_board));
                before.Asked(Discover(s_board) with { Mac = new MacAddress(0xdca632000002) });
                await before.StopAsync(_end);
            }
            database.Write(c => c.Execute("UPDATE boot_conversations SET body = '{\"events\":[{\"type\":\"telepathy\"}]}' WHERE mac = @mac",
                new { mac = BootRecording.Mac.ToString() }));
            using BootRecorder after = new(new BootStore(database), new NoiseCounter(),
                new DataDisk(folder, () => { }, TimeProvider.System), TimeProvider.System);
            Assert.Equal("dc:a6:32:00:00:02", Assert.Single(after.Read(timeline => timeline.Boards.Keys)).ToString());
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void What_is_too_much_for_the_queue_is_counted_and_whoever_reports_never_waits()
    {
        string folder = Directory.CreateTempSubdirectory("test-boot-").FullName;
        using (var database = new Database(Path.Combine(folder, "appliance.db")))
        {
            var noise = new NoiseCounter();
            using BootRecorder recorder = new(new BootStore(database), noise, new DataDisk(folder, () => { }, TimeProvider.System),
                TimeProvider.System);
            for (int i = 0; i < 10_000; i++)
            {
                recorder.Asked(Discover(s_board));
            }
            Assert.Equal(10_000 - 8192, noise.Counts["boot timeline"]);
        }
        Directory.Delete(folder, recursive: true);
    }

    private static DhcpSighting Discover(IPAddress address) => new(BootRecording.Mac, BootClientKind.RaspberryPi,
        new ClientMachineId(MachineIdForm.PiEeprom, 0x01eeffc0, 0xc03114), "eth0", DhcpMessageType.Discover, DhcpMessageType.Offer,
        address, null);

    private async Task<JsonNode> GetAsync(string path) => (await Api.GetFromJsonAsync<JsonNode>(path, _end))!;
}
