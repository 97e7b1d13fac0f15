using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>Machines that boot by firmware as real ones have it, and boards that try the network before their own disk.</summary>
public class FirmwareTests
{
    [Theory]
    [InlineData(BoardKind.X86Bios, false, false, "amd64", "ipxe")]
    [InlineData(BoardKind.X86, false, true, "amd64", "uefi-x64 ipxe")]
    [InlineData(BoardKind.X86, true, true, "amd64", "uefi-http-x64 ipxe")]
    [InlineData(BoardKind.ArmUefi, false, false, "arm64", "uefi-arm64 ipxe")]
    [InlineData(BoardKind.ArmUefi, true, false, "arm64", "uefi-http-arm64 ipxe")]
    public async Task Firmware_with_an_empty_disk_starts_netinst(
        BoardKind kind, bool http, bool beside, string architecture, string programs)
    {
        await using Lab lab = await Lab.StartAsync(beside, test: $"Firmware-{kind}{(http ? "-http" : "")}{(beside ? "-proxy" : "")}");
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(kind) with { HttpBoot = http, CardSize = 64 << 20 });
        JsonNode node = await lab.WaitForNodeAsync(board, "waits", n => n.Text("link") == "net-inst");
        Assert.Equal(architecture, node["inventory"].Text("architecture"));

        JsonNode boot = Assert.Single(await BootsAsync(lab, board));
        Assert.Equal(programs.Split(' '), Programs(boot));
        Assert.Contains("booted", Findings(boot));
    }

    [Fact]
    public async Task Pi_with_the_network_first_boots_its_card_until_a_reinstallation_is_ordered()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        VirtualBoard board = await lab.InstallAsync(lab.Plan(BoardKind.Virt) with { NetworkFirst = true }, "tiny-arm64");
        Assert.Equal(["network-boot", "card-boot"], Sources(board));

        await lab.ExpectSuccessAsync(await lab.OrderAsync("reboot", board));
        Assert.Equal(["network-boot", "card-boot", "card-boot"], Sources(board));
        Assert.Contains("left-alone", Findings((await BootsAsync(lab, board))[0]));

        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", board, "tiny-arm64"));
        await lab.WaitForRunningAsync(board);
        Assert.Equal(["network-boot", "card-boot", "card-boot", "network-boot", "card-boot"], Sources(board));
    }

    [Fact]
    public async Task Pc_with_the_network_first_boots_its_disk_until_a_reinstallation_is_ordered()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-amd64");
        BoardOptions plan = lab.Plan(BoardKind.X86) with { NetworkFirst = true };
        VirtualBoard board = await lab.InstallAsync(plan, "tiny-amd64");
        await lab.ShutDownAsync(board);
        await lab.WaitForNodeAsync(board, "is off", n => n.Text("link") == "offline");

        // Its own system does not run, and cannot start NetInst: the firmware does, by the network, once.
        Guid job = await lab.OrderAsync("install", board, "tiny-amd64");
        board = await lab.PowerOnAsync(plan);
        await lab.ExpectSuccessAsync(job);
        await lab.WaitForRunningAsync(board);

        // Told by iPXE to boot its disk, the firmware tries what else is before the disk: HTTP boot.
        Assert.Equal(
        [
            ("uefi-x64 ipxe", "netinst"), ("uefi-x64 ipxe", "disk"), ("uefi-http-x64 ipxe", "disk"),
            ("uefi-x64 ipxe", "netinst"), ("uefi-x64 ipxe", "disk"), ("uefi-http-x64 ipxe", "disk"),
        ], (await BootsAsync(lab, board)).Reverse()
        .Select(boot => (string.Join(' ', Programs(boot)), Findings(boot).Contains("left-alone") ? "disk" :
            Fetched(boot).Contains("netinst/amd64/kernel") ? "netinst" : "nothing")));
    }

    /// <summary>What the appliance has seen of a board's boots, the newest first.</summary>
    private static async Task<IReadOnlyList<JsonNode>> BootsAsync(Lab lab, VirtualBoard board) =>
        [.. (await lab.Appliance.GetAsync($"boot/boards/{board.Options.Mac}/conversations", lab.Cancel)).AsArray().Select(boot => boot!)];

    /// <summary>The boot programs that asked, each once.</summary>
    private static IEnumerable<string> Programs(JsonNode boot) => boot["events"]!.AsArray()
        .Where(e => e.Text("type") == "dhcp").Select(e => e.Text("client")).Where(client => client != "none").Distinct();

    private static IEnumerable<string> Fetched(JsonNode boot) =>
        boot["events"]!.AsArray().Where(e => e.Text("type") == "file").Select(e => e.Text("path"));

    private static IEnumerable<string> Findings(JsonNode boot) => boot["findings"]!.AsArray().Select(finding => finding.Text("rule"));

    /// <summary>Where a Pi's firmware took its kernel from, each time.</summary>
    private static IEnumerable<string> Sources(VirtualBoard board) =>
        board.Events.Select(e => e.Name).Where(name => name is "network-boot" or "card-boot");
}
