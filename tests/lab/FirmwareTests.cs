using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>Machines that boot from the network by the firmware of real ones.</summary>
public class FirmwareTests
{
    [Theory]
    [InlineData(BoardKind.X86Bios, false, false, "amd64", "ipxe")]
    [InlineData(BoardKind.X86, false, false, "amd64", "uefiX64 ipxe")]
    [InlineData(BoardKind.X86, true, false, "amd64", "uefiHttpX64 ipxe")]
    [InlineData(BoardKind.ArmUefi, false, false, "arm64", "uefiArm64 ipxe")]
    [InlineData(BoardKind.ArmUefi, true, false, "arm64", "uefiHttpArm64 ipxe")]
    [InlineData(BoardKind.X86Bios, false, true, "amd64", "ipxe")]
    [InlineData(BoardKind.X86, false, true, "amd64", "uefiX64 ipxe")]
    [InlineData(BoardKind.X86, true, true, "amd64", "uefiHttpX64 ipxe")]
    [InlineData(BoardKind.ArmUefi, false, true, "arm64", "uefiArm64 ipxe")]
    [InlineData(BoardKind.ArmUefi, true, true, "arm64", "uefiHttpArm64 ipxe")]
    public async Task Firmware_with_an_empty_disk_starts_netinst(BoardKind kind, bool http, bool beside, string architecture, string programs)
    {
        await using Lab lab = await Lab.StartAsync(beside, $"Firmware-{kind}{(http ? "-http" : "")}{(beside ? "-proxy" : "")}");
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(kind) with { HttpBoot = http, CardSize = 64 << 20 });
        JsonNode node = await lab.WaitForNodeAsync(board, "waits", n => n.Text("link") == "net-inst");
        Assert.Equal(architecture, node["inventory"].Text("architecture"));

        JsonNode boots = await lab.WaitForAsync("a boot", $"boot/boards/{board.Options.NodeId}/conversations", c => c.AsArray().Count > 0);
        JsonNode boot = Assert.Single(boots.AsArray())!;
        Assert.Equal(programs, string.Join(' ', boot["events"]!.AsArray().Where(e => e.Text("type") == "dhcp").Select(e => e.Text("client")).Where(c => c != "none").Distinct()));
        Assert.Contains(boot["findings"]!.AsArray(), f => f.Text("rule") == "booted");
    }
}
