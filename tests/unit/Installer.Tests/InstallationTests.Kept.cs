using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer.Tests;

/// <content>Updates: what people have is safe before the first write.</content>
public sealed partial class InstallationTests
{
    private static readonly string[] s_home = ["/home", "/etc/machine-id"];

    /// <summary>A board whose disk holds a system with somebody's file.</summary>
    private static TestMachine Inhabited()
    {
        var machine = new TestMachine(StaleDisk()) { OldRoot = Directory.CreateTempSubdirectory("old-").FullName };
        machine.Disk.Content[511] = 0xaa;
        Directory.CreateDirectory(Path.Combine(machine.OldRoot, "home/ada"));
        Directory.CreateDirectory(Path.Combine(machine.OldRoot, "etc"));
        File.WriteAllText(Path.Combine(machine.OldRoot, "home/ada/notes"), "hers");
        File.WriteAllText(Path.Combine(machine.OldRoot, "etc/machine-id"), "old");
        File.WriteAllText(Path.Combine(machine.OldRoot, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
        return machine;
    }

    private static string Restored(TestMachine machine) => File.ReadAllText(Path.Combine(machine.RootFolder, "home/ada/notes")) +
        File.ReadAllText(Path.Combine(machine.RootFolder, "etc/machine-id"));

    [Fact]
    public async Task Whenever_the_power_goes_in_an_update_what_people_have_is_there_and_was_packed_once()
    {
        using TestMachine whole = Inhabited();
        Assert.Equal(new InstallResult(true, false, "", DiskState.Installed, false), await InstallAsync(whole, keep: s_home));
        Assert.Equal("hersold", Restored(whole));
        Assert.Equal(["checking", "keeping", "writing", "verifying", "configuring"], _progress.Select(p => p.Phase).Distinct());
        for (int cut = 0; cut < whole.Disk.Writes; cut++)
        {
            _appliance.Archive = null;
            int stored = _appliance.Stored;
            using TestMachine machine = Inhabited();
            machine.Disk.WritesLeft = cut;
            Assert.False((await InstallAsync(machine, keep: s_home)).Succeeded);
            machine.Disk.WritesLeft = null;
            // What is on the disk by now is nothing that anybody wants.
            Directory.Delete(machine.OldRoot!, recursive: true);
            Assert.True((await InstallAsync(machine, compare: true, keep: s_home)).Succeeded);
            Assert.Equal("hersold", Restored(machine));
            Assert.Equal(stored + 1, _appliance.Stored);
        }
    }

    [Theory]
    [InlineData("no system", "no system can be read")]
    [InlineData("no room on the appliance", "does not fit on the appliance, which has room for 10 bytes")]
    [InlineData("no room on the disk", "bytes are to be kept, and beside image 'test' there is room for")]
    [InlineData("no appliance", "asking the appliance for what it keeps of this node")]
    public async Task What_cannot_be_kept_fails_before_the_first_write(string fault, string sentence)
    {
        using TestMachine machine = Inhabited();
        switch (fault)
        {
            case "no system":
                machine.OldRoot = null;
                break;
            case "no room on the appliance":
                _appliance.Room = 10;
                break;
            case "no room on the disk":
                await File.WriteAllBytesAsync(
                    Path.Combine(machine.OldRoot!, "home/ada/large"), new byte[DiskSize], TestContext.Current.CancellationToken);
                break;
            default:
                await _appliance.StopAsync();
                break;
        }
        InstallResult result = await InstallAsync(machine, keep: s_home);
        Assert.Equal((false, DiskState.Untouched, 0), (result.Succeeded, result.Disk, machine.Disk.Writes));
        Assert.Contains(sentence, result.Cause, StringComparison.Ordinal);
        Assert.Null(_appliance.Archive);
    }

    [Fact]
    public async Task An_archive_that_comes_back_otherwise_than_it_was_given_leaves_no_system_that_starts()
    {
        using TestMachine machine = Inhabited();
        _appliance.Spoils = true;
        InstallResult result = await InstallAsync(machine, keep: s_home);
        Assert.Equal((false, DiskState.Unbootable), (result.Succeeded, result.Disk));
        Assert.Equal(new byte[512], machine.Disk.Content[..512]);
        _appliance.Spoils = false;
        Assert.True((await InstallAsync(machine, compare: true, keep: s_home)).Succeeded);
        Assert.Equal("hersold", Restored(machine));
    }

    [Fact]
    public async Task Without_kept_paths_the_appliance_is_given_nothing()
    {
        using TestMachine machine = Inhabited();
        Assert.True((await InstallAsync(machine, keep: [])).Succeeded);
        Assert.Equal((0, 0), (_appliance.Stored, _appliance.Fetched));
        Assert.Equal("", File.ReadAllText(Path.Combine(machine.RootFolder, "etc/machine-id")));
    }
}
