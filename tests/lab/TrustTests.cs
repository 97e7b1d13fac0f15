using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class TrustTests
{
    [Fact]
    public async Task Board_that_nobody_approved_waits_and_a_person_makes_it_a_node_that_keeps_its_disk()
    {
        await using Lab lab = await Lab.StartAsync(approve: false);
        await lab.ImportAsync("tiny-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        const int size = 512 << 20;
        await Disk.MakeUsedAsync(plan.Card, size, lab.Cancel);
        string before = await new Disk(plan.Card).DigestAsync(lab.Cancel);

        VirtualBoard board = await lab.PowerOnAsync(plan);
        JsonNode stranger = Assert.Single(
            (await lab.WaitForAsync("a board asks", "unapproved", list => list.AsArray().Count > 0)).AsArray())!;
        string key = stranger.Text("key");
        // A person compares what the board shows with what the page shows.
        await board.WaitForConsoleAsync($"approve the board with key {key[..16]}", lab.Cancel);
        Assert.Empty((await lab.Appliance.GetAsync("nodes", lab.Cancel)).AsArray());
        RackException refusal = await Assert.ThrowsAsync<RackException>(() => lab.OrderAsync("install", board, "tiny-arm64"));
        Assert.Contains(plan.NodeId, refusal.Message, StringComparison.Ordinal);

        await lab.Appliance.ApproveAsync([stranger], lab.Cancel);
        JsonNode node = await lab.WaitForNodeAsync(board, "waits", n => n.Text("link") == "net-inst");
        Assert.Equal(key, node.Text("key"));
        await board.WaitForConsoleAsync("waiting for a person to assign an image", lab.Cancel);
        JsonNode inventory = node["inventory"]!;
        Assert.Equal("new", node.Text("lifecycle"));
        Assert.Equal(plan.Serial, inventory.Text("serial"));
        Assert.StartsWith("Raspberry Pi", inventory.Text("model"), StringComparison.Ordinal);
        Assert.Equal(plan.Mac, Assert.Single(inventory["interfaces"]!.AsArray()).Text("mac"));
        Assert.InRange(inventory.Number("memoryBytes"), 400L << 20, 512L << 20);
        Assert.Equal(size, Assert.Single(inventory["disks"]!.AsArray())!.Number("sizeBytes"));
        Assert.Empty((await lab.Appliance.GetAsync("jobs", lab.Cancel)).AsArray());

        await board.PowerCutAsync();
        Assert.Equal(before, await new Disk(plan.Card).DigestAsync(lab.Cancel));
    }

    [Fact]
    public async Task Image_for_another_architecture_is_refused_before_anything_is_ordered()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("demo-amd64");
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(BoardKind.Virt));
        await lab.WaitForNodeAsync(board, "waits", n => n.Text("link") == "net-inst");

        RackException refusal = await Assert.ThrowsAsync<RackException>(() => lab.OrderAsync("install", board, "demo-amd64"));
        Assert.Matches("^Image 'demo-amd64' is for amd64; node-[0-9a-f]+ is arm64. Nothing was ordered.$", refusal.Message);
        Assert.Empty((await lab.Appliance.GetAsync("jobs", lab.Cancel)).AsArray());
        refusal = await Assert.ThrowsAsync<RackException>(() => lab.Appliance.InstallNewBoardsAsync("arm64", "demo-amd64", lab.Cancel));
        Assert.Contains("is for amd64, not for arm64", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_that_boots_from_the_network_is_known_by_the_key_on_its_card_and_waits_without_it()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        VirtualBoard board = await lab.InstallAsync(plan, "tiny-arm64");
        await board.PowerCutAsync();
        // It is ordered while the board is off, and no Slave stages anything.
        Guid reinstall = await lab.OrderAsync("install", board, "tiny-arm64");
        board = await lab.PowerOnAsync(plan with { NetworkFirst = true });
        await board.WaitForConsoleAsync("holds the identity of this board", lab.Cancel);
        await lab.ExpectSuccessAsync(reinstall);
        await lab.WaitForRunningAsync(board);
        Assert.Empty((await lab.Appliance.GetAsync("unapproved", lab.Cancel)).AsArray());
        await board.PowerCutAsync();
        // The node's key was on the card that is taken out.
        File.Delete(plan.Card);

        VirtualBoard stranger = await lab.PowerOnAsync(plan);
        JsonNode node = await lab.WaitForNodeAsync(stranger, "wants approval", n => n["wantsApproval"]!.GetValue<bool>());
        JsonNode claim = Assert.Single((await lab.Appliance.GetAsync("unapproved", lab.Cancel)).AsArray())!;
        Assert.Equal(node.Text("key"), claim["claims"]!.Text("key"));
        await stranger.WaitForConsoleAsync($"approve the board with key {claim.Text("key")[..16]}", lab.Cancel);
        // The connection that the power cut has left may not have been given up yet; the stranger has none.
        Assert.NotEqual("net-inst", node.Text("link"));
        Assert.DoesNotContain("the certificate that came", stranger.ConsoleText, StringComparison.Ordinal);

        await lab.Appliance.ApproveAsync([claim], lab.Cancel);
        await lab.WaitForNodeAsync(stranger, "is let in", n => n.Text("link") == "net-inst" && !n["wantsApproval"]!.GetValue<bool>());
        await stranger.WaitForConsoleAsync("nothing is assigned to this board", lab.Cancel);
    }

    [Fact]
    public async Task Card_of_a_node_in_another_board_waits_for_a_person_and_goes_on_there_with_its_key()
    {
        await using Lab lab = await Lab.StartAsync(approve: false);
        await lab.ImportAsync("tiny-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        VirtualBoard board = await lab.PowerOnAsync(plan);
        await ApproveOnlyAsync(lab);
        await lab.WaitForNodeAsync(board, "waits", n => n.Text("link") == "net-inst");
        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", board, "tiny-arm64"));
        string key = (await lab.WaitForRunningAsync(board)).Text("key");
        await board.PowerCutAsync();

        // The board is broken: its card is put into another one, of another serial number and hardware address.
        BoardOptions spare = lab.Plan(BoardKind.Virt, 2) with { Card = plan.Card };
        VirtualBoard moved = await lab.PowerOnAsync(spare);
        JsonNode waiting = Assert.Single(
            (await lab.WaitForAsync("the card asks", "unapproved", list => list.AsArray().Count > 0)).AsArray())!;
        Assert.Equal((spare.NodeId, plan.NodeId, key), (waiting.Text("id"), waiting.Text("holder"), waiting.Text("key")));
        Assert.Equal(plan.NodeId, Assert.Single((await lab.Appliance.GetAsync("nodes", lab.Cancel)).AsArray()).Text("id"));

        await ApproveOnlyAsync(lab);
        JsonNode node = await lab.WaitForNodeAsync(moved, "is connected", n => n.Text("link") == "slave");
        Assert.Equal((key, spare.Mac), (node.Text("key"), Assert.Single(node["inventory"]!["interfaces"]!.AsArray()).Text("mac")));
        JsonNode left = (await lab.Appliance.GetAsync("nodes", lab.Cancel)).AsArray().Single(n => n.Text("id") == plan.NodeId)!;
        Assert.Null(left["key"]);

        // One yes is enough: its Slave stages a reinstallation, and the NetInst of that knows who it is by what is on the card.
        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", moved, "tiny-arm64"));
        node = await lab.WaitForRunningAsync(moved);
        Assert.Equal(key, node.Text("key"));
        Assert.Empty((await lab.Appliance.GetAsync("unapproved", lab.Cancel)).AsArray());
    }

    [Fact]
    public async Task Appliance_with_another_ca_is_refused_by_netinst_and_slave()
    {
        const string refusal = "10.77.0.3 answers as a Bootstrap appliance but";
        await using Lab lab = await Lab.StartAsync(addressServer: true);
        await lab.ImportAsync("tiny-arm64");
        await lab.Appliance.InstallNewBoardsAsync("arm64", "tiny-arm64", lab.Cancel);
        await using RackProcess other = await lab.Rack.StartMachineAsync(1, "10.77.0.3/24",
            [Repository.Program, "serve", "--data", Path.Combine(lab.Folder, "other"), "--interface", "eth0", "--dhcp", "off", "--tftp",
            "off"]);
        await other.Output.WaitForAsync("ready", lab.Cancel);

        // With ours away, the other one is all that answers.
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(BoardKind.Virt));
        await board.WaitForEventAsync("qemu-start", lab.Cancel);
        await lab.KillApplianceAsync();
        await board.WaitForConsoleAsync(refusal, lab.Cancel);
        await lab.StartApplianceAsync();
        await lab.ExpectSuccessAsync(await lab.WaitForJobAsync());

        await lab.WaitForRunningAsync(board);
        // The Slave says it once, as soon as the other one answers: that may have been before it found ours.
        int installed = board.ConsoleText.IndexOf("tiny: started", StringComparison.Ordinal);
        await lab.KillApplianceAsync();
        await board.WaitForConsoleAsync(refusal, lab.Cancel, installed);
        await lab.StartApplianceAsync();
        await lab.WaitForRunningAsync(board);
    }

    /// <summary>A person says yes to the one board that waits.</summary>
    private static async Task ApproveOnlyAsync(Lab lab)
    {
        JsonNode boards = await lab.WaitForAsync("a board asks", "unapproved", list => list.AsArray().Count > 0);
        await lab.Appliance.ApproveAsync([Assert.Single(boards.AsArray())!], lab.Cancel);
    }
}
