using System.Globalization;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>Updates of a system whose disk has two slots, on a board that chooses its partition by autoboot.txt.</summary>
public class SlotTests
{
    private const long CardSize = 4L << 30;
    private const int BootA = 2, BootB = 3;

    /// <summary>Somebody uses the system.</summary>
    private const string Inhabit = """
        set -e
        useradd -m ada
        echo hers >/home/ada/notes
        chown ada: /home/ada/notes
        touch /etc/not-kept
        sync
        """;

    [Fact]
    public async Task An_update_goes_to_the_other_slot_while_the_system_runs_through_a_power_cut()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("slots-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt) with { CardSize = CardSize };
        VirtualBoard board = await lab.InstallAsync(plan, "slots-arm64");
        await RunAsync(lab, board, Inhabit);
        Assert.Equal([(BootA, false)], Starts(board));

        Guid job = await lab.OrderAsync("install", board, "slots-arm64", new { update = true });
        await lab.WaitForMidWriteAsync(job);
        // It works all the while.
        Assert.Equal("slave", (await lab.WaitForNodeAsync(board, "is told of", _ => true)).Text("link"));
        await board.PowerCutAsync();
        board = await lab.PowerOnAsync(plan);
        await lab.ExpectSuccessAsync(job);
        Assert.Equal([(BootA, false), (BootB, true)], Starts(board));
        await RunAsync(lab, board, """
            set -ex
            test "$(findmnt -n -o SOURCE /)" = /dev/vda6
            test "$(findmnt -n -o SOURCE /boot/firmware)" = /dev/vda3
            test "$(cat /home/ada/notes)" = hers
            test "$(stat -c %U /home/ada/notes)" = ada
            test ! -e /etc/not-kept
            """);

        // The slot is the one that always starts now, and the next update goes to the first one again.
        await lab.ExpectSuccessAsync(await lab.OrderAsync("reboot", board));
        Assert.Equal((BootB, false), Starts(board)[^1]);
        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", board, "slots-arm64", new { update = true }));
        await RunAsync(lab, board, "set -ex; test \"$(findmnt -n -o SOURCE /)\" = /dev/vda5; test \"$(cat /home/ada/notes)\" = hers");
        Assert.Equal((BootA, true), Starts(board)[^1]);
        await lab.ShutDownAsync(board);
    }

    [Fact]
    public async Task A_node_whose_new_system_does_not_come_up_or_does_not_report_goes_back_by_itself_to_the_one_that_it_had()
    {
        await using Lab lab = await Lab.StartAsync();
        string image = await lab.ImportAsync("slots-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt) with { CardSize = CardSize };
        VirtualBoard board = await lab.InstallAsync(plan, "slots-arm64");
        await RunAsync(lab, board, Inhabit);

        // Its kernel finds nothing to start.
        await GoBackAsync("broken", async disk =>
        {
            await disk.RemoveFileAsync(disk.FirstLogical, "/usr/lib/systemd/systemd");
            await disk.RemoveFileAsync(disk.FirstLogical, "/usr/bin/sh");
        });
        Assert.Equal([(BootA, false), (BootB, true), (BootA, false)], Starts(board));

        // It comes up, and its Slave never starts: the timer takes it back, sooner than after its 15 minutes.
        await GoBackAsync("mute", async disk =>
        {
            await AddAsync(disk, "bootstrap-slave.service.d", "[Unit]\nConditionPathExists=/nowhere\n");
            await AddAsync(disk, "bootstrap-slot-return.timer.d", "[Timer]\nOnBootSec=\nOnBootSec=20s\n");
        });
        Assert.Equal([(BootB, true), (BootA, false)], Starts(board).TakeLast(2));
        await RunAsync(lab, board, "set -ex; test \"$(findmnt -n -o SOURCE /)\" = /dev/vda5; test -e /etc/not-kept");
        await lab.ShutDownAsync(board);

        async Task GoBackAsync(string name, Func<Disk, Task> change)
        {
            string changed = Path.Combine(lab.Folder, $"{name}.img");
            await Tool.RunAsync("cp", "--sparse=always", image, changed);
            await change(new Disk(changed));
            await lab.Appliance.ImportAsync(changed, name, lab.Cancel);
            IReadOnlyList<JsonNode> tasks = await lab.WaitForEndAsync(await lab.OrderAsync("install", board, name, new { update = true }));
            Assert.Equal("failed", tasks[0].Text("state"));
            Assert.Contains("the node has gone back by itself to the one that it had", tasks[0].Text("cause"), StringComparison.Ordinal);
            await lab.WaitForRunningAsync(board);
        }

        async Task AddAsync(Disk disk, string folder, string settings)
        {
            string file = Path.Combine(lab.Folder, folder);
            await File.WriteAllTextAsync(file, settings, lab.Cancel);
            await disk.MakeFolderAsync(disk.FirstLogical, $"/etc/systemd/system/{folder}");
            await disk.WriteFileAsync(disk.FirstLogical, file, $"/etc/systemd/system/{folder}/test.conf");
        }
    }

    [Fact]
    public async Task A_uefi_machine_starts_the_other_slot_once_and_for_good_when_it_has_reported_in()
    {
        await using Lab lab = await Lab.StartAsync();
        string image = await lab.ImportAsync("slots-amd64");
        BoardOptions plan = lab.Plan(BoardKind.X86) with { CardSize = CardSize, KeepsOrder = true };
        VirtualBoard board = await lab.InstallAsync(plan, "slots-amd64");
        await RunAsync(lab, board, Inhabit + "\ntest \"$(findmnt -n -o SOURCE /)\" = /dev/vda3");
        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", board, "slots-amd64", new { update = true }));
        const string InOther =
            "set -ex; test \"$(findmnt -n -o SOURCE /)\" = /dev/vda4; test \"$(findmnt -n -o SOURCE /boot/firmware)\" = /dev/vda2; " +
            "test \"$(cat /home/ada/notes)\" = hers";
        await RunAsync(lab, board, InOther);
        await lab.ExpectSuccessAsync(await lab.OrderAsync("reboot", board));
        await RunAsync(lab, board, InOther);

        // Back in the first one, which does not come up this time.
        string broken = Path.Combine(lab.Folder, "broken.img");
        await Tool.RunAsync("cp", "--sparse=always", image, broken);
        var disk = new Disk(broken);
        Partition root = await disk.FindAsync("root_a");
        await disk.RemoveFileAsync(root, "/usr/lib/systemd/systemd");
        await disk.RemoveFileAsync(root, "/usr/bin/sh");
        await lab.Appliance.ImportAsync(broken, "broken", lab.Cancel);
        JsonNode task = (await lab.WaitForEndAsync(await lab.OrderAsync("install", board, "broken", new { update = true })))[0];
        Assert.Contains("the node has gone back by itself to the one that it had", task.Text("cause"), StringComparison.Ordinal);
        await lab.WaitForRunningAsync(board);
        await RunAsync(lab, board, InOther);

        // Written as a whole, the disk has its system in the first slot again, and the firmware knows it.
        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", board, "slots-amd64"));
        await RunAsync(lab, board,
            "set -ex; test \"$(findmnt -n -o SOURCE /)\" = /dev/vda3; test ! -e /home/ada/notes; test -e " +
            "/sys/firmware/efi/efivars/BootOrder-*; ! cat /sys/firmware/efi/efivars/Boot0* | tr -d '\\0' | grep -a 'Bootstrap slot'");
        await lab.ShutDownAsync(board);
    }

    private static async Task RunAsync(Lab lab, VirtualBoard board, string shell) =>
        await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board, parameters: new { shell }));

    /// <summary>Which boot partition the board took at each of its starts from the card, and whether with the tryboot flag.</summary>
    private static List<(int Partition, bool TryBoot)> Starts(VirtualBoard board) => [.. board.Events.Where(e => e.Name == "autoboot")
        .Select(e => (int.Parse(e["partition"], CultureInfo.InvariantCulture), e["tryboot"] == "True"))];
}
