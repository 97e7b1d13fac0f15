using System.Text.Json.Nodes;
using static Bootstrap.Lab.Tests.SlotLab;

namespace Bootstrap.Lab.Tests;

/// <summary>Updates of a slot that go wrong, on a board that chooses its partition by autoboot.txt.</summary>
public class SlotReturnTests
{
    [Fact]
    public async Task A_node_whose_new_system_does_not_come_up_or_report_goes_back_by_itself()
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
}
