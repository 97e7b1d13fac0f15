using System.Net;
using System.Runtime.InteropServices;
using Bootstrap.Imaging;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Boot.Dhcp;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Server.Tests;

/// <summary>What errors say of the disk, and for how long it holds.</summary>
public sealed partial class DataDiskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("test-disk-").FullName;
    private readonly SettableClock _clock = new();

    public static TheoryData<Exception, DiskCondition?> Errors => new()
    {
        { new IOException("", 28), DiskCondition.Full },
        { new IOException("", 122), DiskCondition.Full }, // the user's quota
        { new IOException("", 5), DiskCondition.Failing },
        { new IOException("", 30), DiskCondition.Failing }, // mounted read-only after a fault
        { new SqliteException("", 13), DiskCondition.Full },
        { new SqliteException("", 10, 4874), DiskCondition.Full },
        { new SqliteException("", 10, 266), DiskCondition.Failing }, // SQLITE_IOERR_READ
        { new SqliteException("", 8), DiskCondition.Failing },
        { new ImageException("", new IOException("", 5)), DiskCondition.Failing },
        // Mistakes of the program come through.
        { new SqliteException("no such table", 1), null },
        { new SqliteException("constraint", 19), null },
        { new SqliteException("misuse", 21), null },
        { new IOException("another process uses it"), null },
        { new FileNotFoundException(), null },
        { new InvalidOperationException(), null },
    };

    [Theory]
    [MemberData(nameof(Errors), DisableDiscoveryEnumeration = true)]
    public void Of_errors_those_of_the_disk_are_known_and_no_others(Exception error, DiskCondition? says)
    {
        var disk = new DataDisk(_folder, () => { }, _clock);
        Assert.Equal(says, DataDisk.Says(error));
        if (says is null)
        {
            Assert.Same(error, Record.Exception(() => disk.Try(() => throw error)));
        }
        else
        {
            Assert.False(disk.Try(() => throw error));
        }
        Assert.Equal(says ?? DiskCondition.Good, disk.Condition);
    }

    [Fact]
    public void A_disk_that_failed_is_good_again_when_it_was_quiet_for_a_while_and_can_be_written()
    {
        Exception? fault = new IOException("Input/output error.", 5);
        var disk = new DataDisk(_folder, () => _ = fault is null ? 0 : throw fault, _clock);
        var told = new List<DiskCondition>();
        disk.Changed += told.Add;
        disk.Note(fault);
        Assert.Contains("does not work (Input/output error)", disk.Sentence, StringComparison.Ordinal);
        _clock.Advance(TimeSpan.FromSeconds(11));
        disk.Look(); // the probe fails
        Assert.Equal(DiskCondition.Failing, disk.Condition);
        fault = null;
        disk.Look(); // it failed a moment ago
        Assert.Equal(DiskCondition.Failing, disk.Condition);
        _clock.Advance(TimeSpan.FromSeconds(11));
        disk.Look();
        Assert.Equal([DiskCondition.Failing, DiskCondition.Good], told);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task The_file_system_of_a_loop_device_that_has_broken_is_known_to_fail()
    {
        string image = Path.Combine(_folder, "medium"), mount = Path.Combine(_folder, "mount");
        Directory.CreateDirectory(mount);
        await ToolAsync("truncate", "-s", "16M", image);
        await ToolAsync("mkfs.ext4", "-q", "-O", "^has_journal", image);
        await ToolAsync("mount", "-o", "loop", image, mount);
        try
        {
            string database = Path.Combine(mount, "test.db");
            using var opened = new Database(database);
            var disk = new DataDisk(mount, opened.Probe, _clock);
            Assert.True(disk.Try(opened.Probe));
            ShutDown(mount);
            Assert.False(disk.Try(opened.Probe));
            Assert.False(disk.Try(() => File.WriteAllText(Path.Combine(mount, "more"), "x")));
            Assert.Equal(DiskCondition.Failing, disk.Condition);
            _clock.Advance(TimeSpan.FromSeconds(11));
            disk.Look();
            Assert.Equal(DiskCondition.Failing, disk.Condition);
        }
        finally
        {
            await ToolAsync("umount", "-l", mount);
        }
    }

    [Fact]
    public void Leases_that_could_not_be_written_are_written_with_the_next_one()
    {
        string file = Path.Combine(_folder, "test.db");
        using var database = new Database(file);
        var disk = new DataDisk(_folder, database.Probe, _clock);
        var leases = new LeaseStore(database, disk);
        Lease first = LeaseOf("dc:a6:32:00:00:01", "10.0.0.1"), second = LeaseOf("dc:a6:32:00:00:02", "10.0.0.2");
        leases.Save(second);
        using (var another = new SqliteConnection($"Data Source={file};Pooling=False"))
        {
            another.Open();
            using SqliteTransaction held = another.BeginTransaction();
            leases.Save(first);
            leases.Remove(second.Mac);
        }
        Assert.Equal(DiskCondition.Failing, disk.Condition);
        Assert.Equal([second], leases.Load());
        Lease third = LeaseOf("dc:a6:32:00:00:03", "10.0.0.3");
        leases.Save(third);
        Assert.Equal([first, third], leases.Load().OrderBy(l => l.Address.ToString(), StringComparer.Ordinal));
    }

    private static Lease LeaseOf(string mac, string address) => new(
        MacAddress.TryParse(mac, out MacAddress parsed) ? parsed : default, IPAddress.Parse(address),
            DateTimeOffset.UnixEpoch.AddYears(60));

    /// <summary>From now on, the kernel answers whatever is asked of that file system with EIO, as after a fault that cannot be
    /// mended.</summary>
    private static void ShutDown(string mount)
    {
        const nuint ShutDownNow = 0x8004587d; // EXT4_IOC_SHUTDOWN
        using SafeFileHandle folder = Open(mount, 0);
        uint how = 2; // without what waits to be written
        Assert.Equal(0, Control(folder, ShutDownNow, ref how));
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, nuint request, ref uint how);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task ToolAsync(params string[] command)
    {
        using var process = System.Diagnostics.Process.Start(command[0], command[1..]);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }
}
