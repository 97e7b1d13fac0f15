using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class FaultTests
{
    [Theory]
    [InlineData("flipped byte")]
    [InlineData("truncated")]
    public async Task Damaged_stored_chunk_is_a_named_failure_until_it_is_mended(string damage)
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        FileInfo chunk = new DirectoryInfo(lab.ChunkFolder).EnumerateFiles("*", SearchOption.AllDirectories).MaxBy(file => file.Length)!;
        byte[] sound = await File.ReadAllBytesAsync(chunk.FullName, lab.Cancel);
        byte[] spoilt = damage == "truncated" ? sound[..(sound.Length / 3)] : [.. sound];
        spoilt[spoilt.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(chunk.FullName, spoilt, lab.Cancel);
        await lab.Appliance.InstallNewBoardsAsync("arm64", "tiny-arm64", lab.Cancel);
        BoardOptions plan = lab.Plan(BoardKind.Virt) with { CardSize = 256 << 20 };
        VirtualBoard board = await lab.PowerOnAsync(plan);
        JsonNode task = (await lab.WaitForEndAsync(await lab.WaitForJobAsync()))[0];
        Assert.Equal(("failed", "unbootable"), (task.Text("state"), task.Text("disk")));
        Assert.Matches($"^fetching chunk ([0-9]+) from .*{chunk.Name}: the appliance's stored chunk \\1 is damaged: import the image " +
            "again$", task.Text("cause"));
        Assert.Empty(new Disk(plan.Card).Partitions);
        JsonNode node = await lab.WaitForNodeAsync(board, "is known as it is", n => n["task"] is null);
        Assert.Equal("unbootable", node.Text("lifecycle"));

        await lab.ImportAsync("tiny-arm64");
        Assert.Equal(sound, await File.ReadAllBytesAsync(chunk.FullName, lab.Cancel));
        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", board, "tiny-arm64", new { testCard = true }));
        await lab.WaitForRunningAsync(board);
        await board.WaitForConsoleAsync("/dev/vda gives back what is written to it: ", lab.Cancel);
    }

    [Fact]
    public async Task Card_that_is_too_small_is_refused_before_the_first_write()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("tiny-arm64");
        await lab.Appliance.InstallNewBoardsAsync("arm64", "tiny-arm64", lab.Cancel);
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        await Disk.MakeUsedAsync(plan.Card, 128 << 20, lab.Cancel);
        string before = await new Disk(plan.Card).DigestAsync(lab.Cancel);

        VirtualBoard board = await lab.PowerOnAsync(plan);
        JsonNode task = (await lab.WaitForEndAsync(await lab.WaitForJobAsync()))[0];
        Assert.Equal(("failed", "untouched"), (task.Text("state"), task.Text("disk")));
        Assert.Contains("is too small", task.Text("cause"), StringComparison.Ordinal);
        await board.WaitForConsoleAsync("INSTALLATION FAILED", lab.Cancel);
        await board.PowerCutAsync();
        Assert.Equal(before, await new Disk(plan.Card).DigestAsync(lab.Cancel));
    }

    [Fact]
    public async Task Installation_goes_on_after_a_power_cut_in_mid_write()
    {
        await using Lab lab = await Lab.StartAsync();
        string image = await lab.ImportAsync("demo-arm64");
        await lab.Appliance.InstallNewBoardsAsync("arm64", "demo-arm64", lab.Cancel);
        BoardOptions plan = lab.Plan(BoardKind.Virt) with { Resets = 0 };
        VirtualBoard board = await lab.PowerOnAsync(plan);
        Guid job = await lab.WaitForJobAsync();
        await lab.WaitForMidWriteAsync(job);
        await board.PowerCutAsync();
        Assert.Empty(new Disk(plan.Card).Partitions);

        VirtualBoard again = await lab.PowerOnAsync(plan);
        Assert.Equal(0, await again.Exited.WaitAsync(lab.Cancel));
        Assert.Contains("bytes were on the disk already", again.ConsoleText, StringComparison.Ordinal);
        await InstalledCard.VerifyAsync(plan.Card, image, lab.Cancel);
        await lab.PowerOnAsync(plan with { Resets = int.MaxValue });
        await lab.ExpectSuccessAsync(job);
    }

    [Fact]
    public async Task Installation_goes_on_after_the_appliance_was_killed_and_started_again()
    {
        await using Lab lab = await Lab.StartAsync();
        string image = await lab.ImportAsync("demo-arm64");
        await lab.Appliance.InstallNewBoardsAsync("arm64", "demo-arm64", lab.Cancel);
        BoardOptions plan = lab.Plan(BoardKind.Virt) with { Resets = 0 };
        VirtualBoard board = await lab.PowerOnAsync(plan);
        Guid job = await lab.WaitForJobAsync();
        await lab.WaitForMidWriteAsync(job);
        await lab.KillApplianceAsync();
        await lab.StartApplianceAsync();

        Assert.Equal(0, await board.Exited.WaitAsync(lab.Cancel));
        // The same run of NetInst has finished it.
        Assert.Single(board.Events, e => e.Name == "network-boot");
        await InstalledCard.VerifyAsync(plan.Card, image, lab.Cancel);
        await lab.PowerOnAsync(plan with { Resets = int.MaxValue });
        await lab.ExpectSuccessAsync(job);
    }
}
