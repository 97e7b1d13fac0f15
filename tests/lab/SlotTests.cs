using static Bootstrap.Lab.Tests.SlotLab;

namespace Bootstrap.Lab.Tests;

/// <summary>Updates of a system whose disk has two slots, on a board that chooses its partition by autoboot.txt.</summary>
public class SlotTests
{
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
}
