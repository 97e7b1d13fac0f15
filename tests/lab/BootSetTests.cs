using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class BootSetTests
{
    [Fact]
    public async Task A_board_starts_net_inst_with_the_kernel_and_modules_of_an_imported_image()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("demo-arm64");
        JsonNode set = await lab.Appliance.SendAsync(
            HttpMethod.Post, "boot/sets", JsonContent.Create(new { image = "demo-arm64", name = "demo" }), lab.Cancel);
        await lab.Appliance.SendAsync(HttpMethod.Put, "boot/sets/use/all", JsonContent.Create(new { set = "demo" }), lab.Cancel);

        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(BoardKind.Virt));
        JsonNode node = await lab.WaitForNodeAsync(board, "waits", n => n.Text("link") == "net-inst");
        BoardEvent boot = await board.WaitForEventAsync("network-boot", lab.Cancel);
        Assert.Equal(("vmlinuz", "initramfs-vmlinuz"), (boot["kernel"], boot["initramfs"]));
        Assert.Equal(set["kernels"]![0].Text("version"), node["inventory"].Text("kernel"));
        // Its network, its disk and all behind them are driven by modules alone.
        Assert.Equal("vda", node["inventory"]!["disks"]![0].Text("name"));
        Assert.Equal("virtio_net", node["inventory"]!["interfaces"]![0].Text("driver"));
    }
}
