using System.Text;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests.Sampling;

public sealed class FileSystemSamplingTests : IDisposable
{
    private const string Root = "27 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw,errors=remount-ro\n",
        Boot = "63 27 179:1 / /boot/firmware rw,relatime shared:32 - vfat /dev/mmcblk0p1 rw,fmask=0022,errors=remount-ro\n";

    private readonly FixtureRoot _root = new();
    private readonly StepClock _clock = new();
    private StatusSampler? _sampler;

    public void Dispose()
    {
        _sampler?.Dispose();
        _root.Dispose();
    }

    private IReadOnlyDictionary<string, double> Sample(string mountInfo, double after = 0)
    {
        _root.File("proc/self/mountinfo", mountInfo);
        _clock.Step(after);
        return (_sampler ??= new StatusSampler(_root.Folder, _clock, new FakeFirmware())).Sample(withProcesses: false).Values;
    }

    private static string[] Points(string mountInfo) =>
        [.. MountTable.Read(Encoding.UTF8.GetBytes(mountInfo), 64).Select(mount => mount.Point)];

    [Fact]
    public void Only_file_systems_on_disks_count_and_each_once() => Assert.Equal(["/", "/boot/firmware", "/media/a b"], Points(
        "22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw\n" + Root + Boot +
        "30 27 0:25 / /run rw,nosuid,nodev shared:6 - tmpfs tmpfs rw,size=379304k\n" +
        "80 27 7:0 / /snap/core/1 ro,nodev shared:9 - squashfs /dev/loop0 ro\n" +
        "90 27 179:2 /var/lib/docker /var/lib/docker rw - ext4 /dev/mmcblk0p2 rw\n" +
        "91 27 0:60 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/l\n" +
        "92 27 8:1 / /media/a\\040b rw - exfat /dev/sda1 rw\n" +
        "garbage\n93\n94 27 8:1 / /x rw\n95 27 8:1 / /y rw - ext4\n"));

    [Fact]
    public void Nothing_that_waits_for_a_server_is_looked_at() => Assert.Equal(["/"], Points(
        Root +
        "40 27 0:50 / /srv rw - nfs4 nas:/srv rw,hard\n" +
        "41 40 8:17 / /srv/disk rw - ext4 /dev/sdb1 rw\n" +
        "42 27 43:0 / /remote rw - ext4 /dev/nbd0 rw\n" +
        "43 27 8:33 / /stick rw - fuseblk /dev/sdc1 rw,user_id=0\n" +
        "44 43 8:49 / /stick/below rw - ext4 /dev/sdd1 rw\n"));

    [Fact]
    public void What_is_mounted_over_hides_what_is_below() => Assert.Equal(["/"], Points(
        Root + "50 27 8:1 / /data rw - ext4 /dev/sda1 rw\n" + "51 50 0:70 / /data rw - tmpfs tmpfs rw\n"));

    [Fact]
    public void Space_is_told_as_df_tells_it()
    {
        IReadOnlyDictionary<string, double> values = Sample(Root);
        var drive = new DriveInfo(_root.Folder);
        Assert.Equal(drive.TotalSize, values["fs.size[/]"]);
        double used = drive.TotalSize - drive.TotalFreeSpace;
        Assert.Equal(100 * used / (used + drive.AvailableFreeSpace), values["fs.used[/]"], 1.0);
        Assert.Equal((values["fs.used[/]"], values["fs.size[/]"]), (values[Metrics.FileSystemUsed], values[Metrics.FileSystemSize]));
        Assert.InRange(values.GetValueOrDefault(Metrics.Inodes), 0, 100);
    }

    [Theory]
    [InlineData("rw", "rw", "rw", false)]
    [InlineData("rw", "ro,errors=remount-ro", "ro", true)] // what ext4 does after an error: the mount stays as it was
    [InlineData("rw", "rw,emergency_ro", "ro", true)] // Linux 6.15 and later
    [InlineData("ro", "ro", "defaults,noatime", true)] // fstab wants it otherwise
    [InlineData("ro", "ro", "ro,noatime", false)] // and here wants it so
    [InlineData("ro", "ro", null, false)] // nobody says
    public void Read_only_is_a_fault_where_it_should_not_be(string mount, string super, string? fstab, bool isFault)
    {
        _root.File("etc/fstab", "# comment\nproc /proc proc defaults 0 0\n" +
            (fstab is null ? "" : $"PARTUUID=1-02  /  ext4  {fstab}  0 1\n"));
        IReadOnlyDictionary<string, double> values = Sample($"27 1 179:2 / / {mount},noatime shared:1 - ext4 /dev/mmcblk0p2 {super}\n");
        Assert.Equal(isFault ? 1 : 0, values["fs.read-only[/]"]);
        Assert.Equal(isFault ? 1 : 0, values[Metrics.ReadOnly]);
    }

    [Fact]
    public void What_counts_is_how_the_machine_has_it_mounted_and_not_how_the_Slave_may_see_it()
    {
        const string Home = "64 27 179:3 / /home rw - ext4 /dev/mmcblk0p3 rw\n";
        _root.File("etc/fstab", "LABEL=rootfs / ext4 defaults 0 1\n").File("home/ada/notes", "hers").File("proc/1/mountinfo", Root + Home);
        // As systemd's ProtectSystem=strict and ProtectHome=yes show it.
        IReadOnlyDictionary<string, double> values = Sample(Root.Replace("rw,noatime", "ro,noatime", StringComparison.Ordinal) + Home +
            "90 64 0:25 /systemd/inaccessible/dir /home ro - tmpfs tmpfs rw\n");
        Assert.Equal((0.0, 0.0, 0.0), (values["fs.read-only[/]"], values["fs.read-only[/home]"], values[Metrics.ReadOnly]));
        // What is below its point is not that file system.
        Assert.Equal((true, false), (values.ContainsKey("fs.size[/]"), values.ContainsKey("fs.size[/home]")));

        _root.File("proc/1/mountinfo", Root.Replace("rw,errors", "ro,errors", StringComparison.Ordinal));
        Assert.Equal(1, Sample(Root, 5)["fs.read-only[/]"]);
    }

    [Fact]
    public void A_file_system_that_becomes_read_only_has_a_fault_until_it_is_written_to_again()
    {
        Assert.Equal(0, Sample(Root + Boot)["fs.read-only[/boot/firmware]"]);
        string readOnly = Root + Boot.Replace("rw,relatime", "ro,relatime", StringComparison.Ordinal)
            .Replace("p1 rw", "p1 ro", StringComparison.Ordinal);
        IReadOnlyDictionary<string, double> values = Sample(readOnly, 5);
        Assert.Equal((0.0, 1.0, 1.0), (values["fs.read-only[/]"], values["fs.read-only[/boot/firmware]"], values[Metrics.ReadOnly]));
        Assert.Equal(0, Sample(Root + Boot, 5)[Metrics.ReadOnly]);
        Assert.DoesNotContain("fs.read-only[/boot/firmware]", Sample(Root, 5).Keys);
    }

    [Fact]
    public void Thousands_of_mounts_are_bounded()
    {
        string mounts = Root + string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i} 27 8:{i} / /m{i} rw - ext4 /dev/sd{i} rw\n"));
        Assert.Equal(64, Sample(mounts).Keys.Count(key => key.StartsWith($"{Metrics.ReadOnly}[", StringComparison.Ordinal)));
    }
}
