using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class BootTests : ApplianceTest
{
    private const string Board = "10000000bbbb0001", Folder = "bbbb0001/";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly SettableClock _clock = new();

    private protected override TimeProvider Clock => _clock;

    [Fact]
    public void A_board_that_was_never_seen_starts_net_inst()
    {
        Assert.True(Discovers(Board));
        Assert.Contains("# the board bbbb0001, dc-a6-32-00-00-01 starts NetInst: it was never seen before", Read(Folder + "config.txt"));
        Assert.Contains("console=serial0", Read(Folder + "cmdline.txt"));
        Assert.NotNull(Read(Folder + "kernel8.img"));
        Assert.Null(Read(Folder + "start4.bin"));
    }

    [Fact]
    public async Task An_installed_board_boots_its_own_disk_until_a_job_orders_another_installation()
    {
        await using SimulatedNode node = await InstallAsync();
        Assert.False(Discovers(Board));
        Assert.Null(Read(Folder + "config.txt"));
        Assert.Null(Read(Folder + "kernel8.img"));

        await node.DisconnectAsync(s_end);
        JsonNode job = await OrderAsync();
        Assert.True(Discovers(Board));
        Assert.Contains($"installs tiny because job {job["job"]!["id"]} ordered it", Read(Folder + "config.txt"));
    }

    [Fact]
    public async Task An_installed_board_that_does_not_stop_asking_has_nothing_to_boot_and_starts_net_inst()
    {
        await using SimulatedNode node = await InstallAsync();
        foreach (int pause in (int[])[0, 40, 90, 45])
        {
            // network first in its order: it asks for 45 s, boots its disk, and is switched off and on
            _clock.Advance(TimeSpan.FromSeconds(pause));
            Assert.False(Discovers(Board));
        }
        _clock.Advance(TimeSpan.FromSeconds(50));
        Assert.True(Discovers(Board));
        Assert.Contains("starts NetInst: it was installed, and found nothing to boot on its disk", Read(Folder + "config.txt"));
        await node.RestartAsync(NodeRole.Slave, cancellation: s_end);
        Assert.False(Discovers(Board));
    }

    [Fact]
    public async Task The_rom_of_a_pi_3_asks_only_where_its_card_boots_nothing()
    {
        await using SimulatedNode node = await InstallAsync();
        Assert.True(Discovers(Board, isPi3Rom: true));
        Assert.True(Discovers(Board)); // bootcode.bin, which the ROM has fetched, asks again
        Assert.NotNull(Read(Folder + "config.txt"));
    }

    [Fact]
    public async Task A_board_that_was_just_written_boots_its_disk_although_its_job_is_not_over()
    {
        await using SimulatedNode node = await WriteAsync();
        Assert.False(Discovers(Board));
    }

    [Fact]
    public async Task A_board_that_restarts_in_the_middle_of_its_first_start_boots_its_disk()
    {
        using HttpResponseMessage made = await Api.PutAsJsonAsync("profiles/lab", new { name = "lab", packages = new[] { "htop" } }, s_end);
        made.EnsureSuccessStatusCode();
        await using SimulatedNode node = await WriteAsync(parameters: new { profile = "lab" });
        await node.RestartAsync(NodeRole.Slave, _task, cancellation: s_end);
        await Poll.UntilAsync(() => GetAsync($"nodes/{Board}"), n => n["task"]?["phase"]?.ToString() == "first-boot", s_end);
        Assert.False(Discovers(Board));
    }

    [Fact]
    public async Task A_board_that_updates_the_slot_which_it_does_not_use_boots_its_disk_all_the_while()
    {
        await using SimulatedNode node = await InstallAsync();
        Appliance.Services.GetRequiredService<Database>().Write(c => c.Execute("UPDATE images SET slots = 2"));
        node.Inventory = node.Inventory with { Slot = "a" };
        await node.RestartAsync(NodeRole.Slave, _task, cancellation: s_end);
        JsonNode job = await OrderAsync(parameters: new { update = true });
        Assert.False(Discovers(Board));
        await node.DisconnectAsync(s_end);
        Assert.False(Discovers(Board));
        await Api.PostAsJsonAsync($"tasks/{job["tasks"]![0]!["id"]}/cancel", new { }, s_end);
    }

    [Fact]
    public async Task What_a_board_is_given_stays_the_same_within_one_boot()
    {
        await using SimulatedNode node = await InstallAsync();
        await SwitchOffAsync(node);
        await OrderAsync();
        Assert.True(Discovers(Board));
        string? first = Read(Folder + "config.txt");
        Assert.True((await Api.PostAsJsonAsync($"tasks/{await OpenTaskAsync()}/cancel", new { }, s_end)).IsSuccessStatusCode);
        Assert.Equal(first, Read(Folder + "config.txt"));

        Assert.False(Discovers(Board));
        Assert.Null(Read(Folder + "config.txt"));
    }

    [Fact]
    public async Task Without_dhcp_a_boot_is_over_after_a_long_silence_or_when_the_board_reports_in()
    {
        Assert.NotNull(Read(Folder + "config.txt"));
        await using SimulatedNode node = await WriteAsync();
        Assert.Null(Read(Folder + "config.txt")); // it runs NetInst by now: this is another boot
        await node.RestartAsync(NodeRole.Slave, _task, cancellation: s_end);
        await InstalledAsync();
        await SwitchOffAsync(node);
        await OrderAsync();
        Assert.NotNull(Read(Folder + "config.txt"));
        await Api.PostAsJsonAsync($"tasks/{await OpenTaskAsync()}/cancel", new { }, s_end);
        Assert.NotNull(Read(Folder + "config.txt"));
        _clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Null(Read(Folder + "config.txt"));
    }

    [Fact]
    public async Task An_administrator_s_files_come_before_all_others_and_boot_even_an_installed_board()
    {
        await using SimulatedNode node = await InstallAsync();
        string own = Path.Combine(Appliance.Options.OverridesFolder, "bbbb0001");
        Directory.CreateDirectory(own);
        await File.WriteAllTextAsync(Path.Combine(own, "config.txt"), "kernel=mine.img\n", s_end);
        Assert.True(Discovers(Board));
        Assert.Equal("kernel=mine.img\n", Read(Folder + "config.txt"));
        Assert.NotNull(Read(Folder + "kernel8.img"));
        Assert.DoesNotContain("mine.img", Read("bbbb0002/config.txt"));

        File.CreateSymbolicLink(Path.Combine(own, "secret"), Path.Combine(Appliance.Options.DataFolder, "ca", "ca.pem"));
        Assert.Throws<IOException>(() => Read(Folder + "secret"));
    }

    [Fact]
    public async Task A_pc_is_told_by_its_script_what_it_boots_and_why()
    {
        using var plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{Appliance.Options.Http}/") };
        Assert.Contains("chain http://" + Appliance.Options.Http, await plain.GetStringAsync("boot/ipxe", s_end));
        var uuid = Guid.NewGuid();
        string query = $"boot/ipxe?mac=52:54:00:00:00:09&uuid={uuid}";
        Assert.Contains("kernel http://", await plain.GetStringAsync(query, s_end));

        await using SimulatedNode node = await InstallAsync(uuid.ToString(), "amd64");
        string script = await plain.GetStringAsync(query, s_end);
        Assert.Contains("boots its own disk: installed with tiny", script);
        Assert.Contains("sanboot --no-describe --drive 0x80", script);
        Assert.DoesNotContain("kernel http://", script);
    }

    [Fact]
    public async Task A_board_is_not_its_neighbour_whose_inventory_names_it()
    {
        using var plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{Appliance.Options.Http}/") };
        await using SimulatedNode node = await InstallAsync(Guid.NewGuid().ToString(), "amd64");
        MacAddress own = node.Inventory.Interfaces[0].Mac, other = new(0x525400000077);
        // Its switch, or another board beside which it stands: LLDP tells who is at the other end of the cable.
        await node.SendAsync(new InventoryReport(node.Inventory with
        {
            Interfaces = [node.Inventory.Interfaces[0] with
            {
                Switch = new SwitchPort(other.ToString(), other.ToString(), "", "neighbour", ""),
            }],
        }), s_end);
        await Poll.UntilAsync(async () => await Api.GetStringAsync($"nodes/{node.Id}", s_end),
            seen => seen.Contains(other.ToString(), StringComparison.Ordinal), s_end);
        Assert.Contains("kernel http://", await plain.GetStringAsync($"boot/ipxe?mac={other}", s_end), StringComparison.Ordinal);

        // A network card that went to another board: the one that has it now, and has come last, counts.
        await node.SendAsync(new InventoryReport(node.Inventory with
        {
            Interfaces = [node.Inventory.Interfaces[0] with { Mac = other }],
        }), s_end);
        await Poll.UntilAsync(() => plain.GetStringAsync($"boot/ipxe?mac={other}", s_end),
            script => script.Contains("boots its own disk", StringComparison.Ordinal), s_end);
        Assert.Contains("kernel http://", await plain.GetStringAsync($"boot/ipxe?mac={own}", s_end), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pc_that_was_told_to_boot_its_disk_is_not_at_fault_when_it_asks_for_no_kernel()
    {
        using var plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{Appliance.Options.Http}/") };
        var uuid = Guid.NewGuid();
        await using SimulatedNode node = await InstallAsync(uuid.ToString(), "amd64");
        await node.DisconnectAsync(s_end);
        var mac = new MacAddress(0x525400000009);
        Appliance.Services.GetRequiredService<BootRecorder>().Asked(new DhcpSighting(mac, BootClientKind.Ipxe, default, "eth0",
            DhcpMessageType.Discover, DhcpMessageType.Offer, IPAddress.Loopback, null));
        await plain.GetStringAsync($"boot/ipxe?mac={mac}&uuid={uuid}", s_end);

        // The request is recorded once its answer is sent.
        await Poll.UntilAsync(async () => (await Api.GetFromJsonAsync<JsonArray>($"boot/boards/{mac}/conversations",
            s_end))![0]!["events"]!.AsArray().Count, count => count == 2, s_end);
        _clock.Advance(TimeSpan.FromMinutes(5));
        JsonNode explained = (await Api.GetFromJsonAsync<JsonNode>($"boot/boards/{mac}/explain", s_end))!;
        Assert.Equal(["left-alone"], explained["findings"]!.AsArray().Select(finding => finding!["rule"]!.ToString()));
    }

    [Fact]
    public async Task A_name_of_an_image_cannot_write_into_config_txt()
    {
        await using SimulatedNode node = await ConnectAsync(Board, "arm64");
        await ImportAsync("x\nkernel=evil.img", "arm64");
        await node.DisconnectAsync(s_end);
        (await Api.PostAsJsonAsync("jobs", new { kind = "install", nodes = new[] { Board }, image = "x\nkernel=evil.img" }, s_end))
            .EnsureSuccessStatusCode();
        Assert.True(Discovers(Board));
        Assert.DoesNotContain("\nkernel=evil.img", Read(Folder + "config.txt"));
    }

    private Guid _task;

    private async Task<SimulatedNode> WriteAsync(string id = Board, string architecture = "arm64", object? parameters = null)
    {
        SimulatedNode node = await ConnectAsync(id, architecture);
        await ImportAsync("tiny", architecture);
        await OrderAsync(id, parameters);
        StartTask start = await node.AcceptTaskAsync(s_end);
        _task = start.TaskId;
        await node.SendAsync(new TaskEnded(start.TaskId, true, false, "", DiskState.Installed), s_end);
        await Poll.UntilAsync(() => GetAsync($"nodes/{id}"), n => n["task"]?["phase"]?.ToString() == "starting", s_end);
        return node;
    }

    private async Task<SimulatedNode> InstallAsync(string id = Board, string architecture = "arm64")
    {
        SimulatedNode node = await WriteAsync(id, architecture);
        await node.RestartAsync(NodeRole.Slave, _task, cancellation: s_end);
        await InstalledAsync(id);
        return node;
    }

    private Task<JsonNode> InstalledAsync(string id = Board) =>
        Poll.UntilAsync(() => GetAsync($"nodes/{id}"), n => n["lifecycle"]!.ToString() == "installed", s_end);

    private Task<SimulatedNode> ConnectAsync(string id, string architecture) =>
        SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse(id), NodeRole.NetInst, architecture, s_end);

    private async Task ImportAsync(string name, string architecture) =>
        (await Api.PostAsync($"images?name={Uri.EscapeDataString(name)}&architecture={architecture}",
            new ByteArrayContent(TinyImage.Create()), s_end)).EnsureSuccessStatusCode();

    private async Task<JsonNode> OrderAsync(string id = Board, object? parameters = null)
    {
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind = "install", nodes = new[] { id }, image = "tiny", parameters }, s_end);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>(s_end))!;
    }

    private async Task<string> OpenTaskAsync() => (await GetAsync($"nodes/{Board}"))["task"]!["id"]!.ToString();

    private async Task<JsonNode> GetAsync(string path) => (await Api.GetFromJsonAsync<JsonNode>(path, s_end))!;

    /// <summary>What a Pi 4's EEPROM says; true if it is told to boot from the network.</summary>
    private bool Discovers(string serial, bool isPi3Rom = false) => Appliance.Services.GetRequiredService<IBootGate>().Admits(
        Mac, new DhcpClient(BootClientKind.RaspberryPi,
            new ClientMachineId(MachineIdForm.PiEeprom, Convert.ToUInt32(serial[8..], 16), 0xc03114), isPi3Rom),
        DhcpMessageType.Discover);

    private static MacAddress Mac { get; } = MacAddress.TryParse("dc:a6:32:00:00:01", out MacAddress mac) ? mac : default;

    private string? Read(string path)
    {
        using BootFile? file = Appliance.Services.GetRequiredService<IBootFiles>().Find(new BootClient(IPAddress.Loopback, null), path);
        if (file is null)
        {
            return null;
        }
        byte[] bytes = new byte[file.Length];
        Assert.Equal(bytes.Length, file.ReadAt(0, bytes));
        return Encoding.ASCII.GetString(bytes);
    }
}
