using System.Text.Json.Nodes;
using static Bootstrap.Lab.Tests.SlotLab;

namespace Bootstrap.Lab.Tests;

/// <summary>Updates of a system whose disk has two slots, on a machine whose firmware chooses.</summary>
public class UefiSlotTests
{
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

        // Back in the first one, which does not come up this time: the firmware then starts the other one, which is so for good.
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
}
