namespace Bootstrap.Lab.Tests;

public class CardTests
{
    private const long CardBytes = 1L << 30;

    [Fact]
    public async Task Flashed_netinst_card_installs_a_board_that_never_boots_from_the_network()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        await LoginAsync(lab);
        string said = await BootstrapAsync(lab, "flash", "netinst", plan.Card, "--yes");
        Assert.Contains("were written and read back", said);
        using (FileStream card = File.OpenWrite(plan.Card))
        {
            card.SetLength(CardBytes);
        }

        VirtualBoard board = await lab.InstallAsync(plan, "tiny-arm64");
        Assert.DoesNotContain(board.Events, e => e.Name is "network-boot" or "dhcp-discover");
        Assert.Equal(["kernel8.img", "vmlinuz"], board.Events.Where(e => e.Name == "card-boot").Select(e => e["kernel"]));
    }

    [Fact]
    public async Task Flashed_image_starts_as_it_was_imported()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        await LoginAsync(lab);
        await BootstrapAsync(lab, "flash", "tiny-arm64", plan.Card, "--yes");
        VirtualBoard board = await lab.PowerOnAsync(plan);
        await board.WaitForConsoleAsync("tiny: eth0 has", lab.Cancel);
        Assert.Contains(board.Events, e => e.Name == "card-boot");
    }

    private static Task LoginAsync(Lab lab) => BootstrapAsync(
        lab, "login", $"https://{VirtualRack.Address}:8443", "--token-file", Path.Combine(lab.Folder, "token"), "--fingerprint",
        lab.Fingerprint);

    /// <summary>Runs the command line in the rack and returns what it printed.</summary>
    private static Task<string> BootstrapAsync(Lab lab, params string[] arguments) =>
        lab.Rack.RunAsync(["env", $"BOOTSTRAP_CONNECTION={Path.Combine(lab.Folder, "connection.json")}", Repository.Program, .. arguments]);
}
