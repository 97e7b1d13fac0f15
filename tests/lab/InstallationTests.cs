using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class InstallationTests
{
    [Fact]
    public async Task Virt_board_with_an_empty_card_installs_itself_unattended()
    {
        await using Lab lab = await Lab.StartAsync();
        string image = await lab.ImportAsync("demo-arm64");
        await lab.Appliance.InstallNewBoardsAsync("arm64", "demo-arm64", lab.Cancel);

        // It stays off at the reset by which the new system would start: the card is then as NetInst has left it.
        BoardOptions plan = lab.Plan(BoardKind.Virt) with { Resets = 0 };
        VirtualBoard board = await lab.PowerOnAsync(plan);
        Guid job = await lab.WaitForJobAsync();
        Assert.Equal(0, await board.Exited.WaitAsync(lab.Cancel));
        await board.WaitForEventAsync("reset", lab.Cancel);
        await InstalledCard.VerifyAsync(plan.Card, image, lab.Cancel);
        JsonNode task = await lab.WaitForTaskAsync(job, "starting", t => t.Text("phase") == "starting");
        Assert.Equal(("running", "installed"), (task.Text("state"), task.Text("disk")));

        VirtualBoard again = await lab.PowerOnAsync(plan with { Resets = int.MaxValue });
        // The job's success is the new system's report: until then there was none.
        await lab.ExpectSuccessAsync(job);
        JsonNode node = await lab.WaitForRunningAsync(again);
        Assert.Equal("demo-arm64", node.Text("imageName"));
        Assert.Contains(again.Events, e => e.Name == "card-boot");
        Assert.DoesNotContain(again.Events, e => e.Name is "tftp" or "dhcp-discover");
    }

    [Fact]
    public async Task Board_boots_and_installs_beside_another_dhcp_server()
    {
        await using Lab lab = await Lab.StartAsync(addressServer: true);
        await lab.ImportAsync("tiny-arm64");
        await lab.Appliance.InstallNewBoardsAsync("arm64", "tiny-arm64", lab.Cancel);
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(BoardKind.Virt));
        await lab.ExpectSuccessAsync(await lab.WaitForJobAsync());
        JsonNode node = await lab.WaitForRunningAsync(board);
        Assert.StartsWith("10.77.0.", node.Text("address"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Raspberry_pi_3_installs_itself()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        await lab.Appliance.InstallNewBoardsAsync("arm64", "tiny-arm64", lab.Cancel);
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(BoardKind.Raspi3b) with { CardSize = 512 << 20 });
        await lab.ExpectSuccessAsync(await lab.WaitForJobAsync());
        JsonNode node = await lab.WaitForRunningAsync(board);
        Assert.Contains("Raspberry Pi 3", node["inventory"].Text("model"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Four_boards_install_under_one_job_each_in_its_own_state()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        var boards = new List<VirtualBoard>();
        for (int id = 1; id <= 4; id++)
        {
            boards.Add(await lab.PowerOnAsync(lab.Plan(BoardKind.Virt, id) with { CardSize = 512 << 20, Memory = 256 }));
        }
        foreach (VirtualBoard board in boards)
        {
            await lab.WaitForNodeAsync(board, "waits", node => node.Text("link") == "net-inst" && node.Text("lifecycle") == "new");
        }
        Guid job = await lab.Appliance.OrderAsync("install", ["all"], "tiny-arm64", lab.Cancel);
        IReadOnlyList<JsonNode> tasks = await lab.WaitForEndAsync(job);
        Assert.All(tasks, task => Assert.Equal(("succeeded", ""), (task.Text("state"), task.Text("cause"))));
        Assert.Equal(boards.Select(b => b.Options.NodeId), tasks.Select(t => t.Text("node")).Order(StringComparer.Ordinal));
        var names = new HashSet<string>();
        foreach (VirtualBoard board in boards)
        {
            names.Add((await lab.WaitForRunningAsync(board)).Text("name"));
        }
        Assert.Equal(boards.Count, names.Count);
        Assert.Single((await lab.Appliance.GetAsync("jobs", lab.Cancel)).AsArray());
    }
}
