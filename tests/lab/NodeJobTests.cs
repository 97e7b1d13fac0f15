using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class NodeJobTests
{
    [Fact]
    public async Task Reboot_ends_with_a_new_start_and_shutdown_with_the_power_off()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        VirtualBoard board = await lab.InstallAsync(lab.Plan(BoardKind.Virt), "tiny-arm64");

        int before = board.Events.Count;
        await lab.ExpectSuccessAsync(await lab.OrderAsync("reboot", board));
        Assert.Equal(["reset", "power-on", "card-boot", "qemu-start"], board.Events.Skip(before).Select(e => e.Name));

        await lab.ShutDownAsync(board);
        Assert.Equal("power-off", board.Events[^1].Name);
        JsonNode node = await lab.WaitForNodeAsync(board, "is off", n => n.Text("link") == "offline");
        Assert.Equal("installed", node.Text("lifecycle"));
    }

    [Fact]
    public async Task Reinstall_goes_from_the_slave_through_netinst_to_a_new_system()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        await lab.ShutDownAsync(await lab.InstallAsync(plan, "tiny-arm64"));
        Disk card = new(plan.Card);
        string first = await InstallIdAsync(card);
        string note = Path.Combine(lab.Folder, "note");
        await File.WriteAllTextAsync(note, "made after the installation", lab.Cancel);
        await card.WriteFileAsync(card.Root, note, "note");
        Assert.Contains("note", (await card.ReadFilesAsync(card.Root, lab.Cancel)).Keys);

        VirtualBoard board = await lab.PowerOnAsync(plan);
        await lab.WaitForRunningAsync(board);
        Guid job = await lab.OrderAsync("install", board, "tiny-arm64");
        IReadOnlyList<JsonNode> tasks = await lab.WaitForEndAsync(job);
        Assert.Equal(("succeeded", ""), (tasks[0].Text("state"), tasks[0].Text("cause")));
        // Never by the network: the card starts its system, then the staged NetInst, then the new system.
        Assert.DoesNotContain(board.Events, e => e.Name == "network-boot");
        Assert.Equal(["vmlinuz", "netinst/kernel", "vmlinuz"], board.Events.Where(e => e.Name == "card-boot").Select(e => e["kernel"]));

        await lab.ShutDownAsync(board);
        card = new(plan.Card);
        await card.CheckAsync(card.Root);
        Assert.DoesNotContain("note", (await card.ReadFilesAsync(card.Root, lab.Cancel)).Keys);
        string second = await InstallIdAsync(card);
        Assert.NotEqual(first, second);
        Assert.Equal(tasks[0].Text("id"), second);
    }

    [Fact]
    public async Task X86_machine_installs_itself_runs_commands_and_is_reinstalled()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("demo-amd64");
        await lab.Appliance.InstallNewBoardsAsync("amd64", "demo-amd64", lab.Cancel);
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(BoardKind.X86));
        await lab.ExpectSuccessAsync(await lab.WaitForJobAsync());
        JsonNode node = await lab.WaitForRunningAsync(board);
        Assert.Equal("amd64", node["inventory"].Text("architecture"));

        // By systemd, not within the Slave's own confines, which may not write there; and cancelled with all that it has started.
        await lab.ExpectSuccessAsync(await lab.OrderAsync(
            "run", board, parameters: new { shell = "systemctl is-active bootstrap-slave && echo $USER >/usr/local/by-job" }));
        Guid endless = await lab.OrderAsync("run", board, parameters: new { shell = "sleep 3601 & sleep 3602" });
        await lab.WaitForTaskAsync(endless, "running", t => t.Text("phase") == "running");
        await lab.Appliance.CancelAsync(endless, lab.Cancel);
        Assert.Equal("cancelled", (await lab.WaitForEndAsync(endless))[0].Text("state"));
        await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board,
            parameters: new { shell = "sleep 6; test \"$(cat /usr/local/by-job)\" = root && ! grep -qs '360[12]' /proc/[0-9]*/cmdline" }));
        // Within its confines the Slave sees the machine as it is: a system that is mounted for writing, and what its kernel complains of.
        Assert.DoesNotContain("read-only-root", RulesOf(await lab.Appliance.GetAsync("alerts", lab.Cancel)));
        await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board,
            parameters: new { shell = "echo a test >/sys/fs/ext4/vda2/trigger_fs_error" }));
        await lab.WaitForAsync("an alert", "alerts", list => RulesOf(list).Contains("file-system-errors"));

        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", board, "demo-amd64"));
        await lab.WaitForRunningAsync(board);
        // One reset ended each installation; the second NetInst was started by the running kernel, without the firmware.
        Assert.Equal(2, board.Events.Count(e => e.Name == "reset"));
    }

    private static async Task<string> InstallIdAsync(Disk card) =>
        JsonNode.Parse(await card.ReadTextAsync(card.Root, "/etc/bootstrap/node.json")).Text("installId");

    private static IEnumerable<string> RulesOf(JsonNode alerts) => alerts.AsArray().Select(alert => alert!.Text("rule"));
}
