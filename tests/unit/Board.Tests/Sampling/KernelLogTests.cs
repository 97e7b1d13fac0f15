using System.Text;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests.Sampling;

public sealed class KernelLogTests : IDisposable
{
    private readonly FixtureRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("Out of memory: Killed process 1873 (stress) total-vm:3149904kB, anon-rss:1498820kB, file-rss:4kB, UID:1000", "OomKill")]
    [InlineData("Memory cgroup out of memory: Killed process 2210 (python3) total-vm:812kB, anon-rss:1kB", "OomKill")]
    [InlineData("stress invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0", "Other")]
    [InlineData("oom_reaper: reaped process 1873 (stress), now anon-rss:0kB", "Other")]
    [InlineData("EXT4-fs error (device mmcblk0p2): ext4_iget:3921: inode #5515: comm udevd: bad extra_isize (5787 != 256)",
        "FileSystemError")]
    [InlineData("EXT4-fs (mmcblk0p2): Remounting filesystem read-only", "FileSystemError")]
    [InlineData("EXT4-fs (mmcblk0p2): mounted filesystem 1e2f ro with ordered data mode. Quota mode: none.", "Other")]
    [InlineData("EXT4-fs (mmcblk0p2): re-mounted 1e2f r/w. Quota mode: none.", "Other")]
    [InlineData("Aborting journal on device mmcblk0p2-8.", "FileSystemError")]
    [InlineData("BTRFS error (device sda1): bad tree block start, mirror 1 want 30474240 have 0", "FileSystemError")]
    [InlineData("BTRFS warning (device sda1): csum failed root 5 ino 257 off 0 csum 0x98f94189 expected csum 0x94 mirror 1",
        "FileSystemError")]
    [InlineData("BTRFS info (device sda1 state E): forced readonly", "FileSystemError")]
    [InlineData("BTRFS info (device sda1): using free-space-tree", "Other")]
    [InlineData("FAT-fs (mmcblk0p1): error, fat_get_cluster: invalid cluster chain (i_pos 0)", "FileSystemError")]
    [InlineData("FAT-fs (mmcblk0p1): Filesystem has been set read-only", "FileSystemError")]
    [InlineData("FAT-fs (mmcblk0p1): Volume was not properly unmounted. Some data may be corrupt. Please run fsck.", "Other")]
    [InlineData("XFS (sda1): metadata I/O error in \"xfs_da_read_buf+0x1\" at daddr 0x8 len 8 error 5", "FileSystemError")]
    [InlineData("mmc0: error -110 whilst initialising SD card", "CardError")]
    [InlineData("mmc1: error -110 whilst initialising SDIO card", "Other")] // no card: a wireless chip
    [InlineData("mmcblk0: error -110 transferring data, sector 10372992, nr 8, cmd response 0x900, card status 0xc00", "CardError")]
    [InlineData("mmc0: Timeout waiting for hardware interrupt.", "CardError")]
    [InlineData("mmc0: Card stuck being busy! __mmc_poll_for_busy", "CardError")]
    [InlineData("mmc0: problem reading SD Status register", "CardError")]
    [InlineData("mmcblk0: recovery failed!", "CardError")]
    [InlineData("blk_update_request: I/O error, dev mmcblk0, sector 3767312", "CardError")]
    [InlineData("I/O error, dev mmcblk0, sector 12345 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2", "CardError")]
    [InlineData("Buffer I/O error on dev mmcblk0p2, logical block 0, async page read", "CardError")]
    [InlineData("mmc0: new ultra high speed DDR50 SDXC card at address aaaa", "Other")]
    [InlineData("mmcblk0: mmc0:aaaa SC32G 29.7 GiB", "Other")]
    [InlineData("mmc0: SDHCI controller on fe340000.mmc [fe340000.mmc] using ADMA", "Other")]
    [InlineData("", "Other")]
    public void Messages_are_known_by_their_words(string text, string kind) =>
        Assert.Equal(Enum.Parse<KernelMessageKind>(kind), KernelMessage.KindOf(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void What_the_log_still_holds_is_counted_and_what_comes_is_added()
    {
        _root.File("dev/kmsg", "6,1,0,-;Booting Linux on physical CPU 0x0\n" +
            "3,2,1500000,-;mmc0: error -110 whilst initialising SD card\n SUBSYSTEM=mmc\n DEVICE=+mmc:mmc0\n" +
            "2,3,1600000,-;EXT4-fs error (device mmcblk0p2): ext4_lookup:1785: inode #2: comm ls: deleted inode referenced: 12\n" +
            "11,4,1700000,-;EXT4-fs error (device made-up): by a program\n" +
            "no record\n;\n");
        using var sampler = new StatusSampler(_root.Folder, new StepClock(), new FakeFirmware());
        StatusReading reading = sampler.Sample(withProcesses: false);
        Assert.Equal((0.0, 1.0, 1.0), (reading.Values[Metrics.OomKills], reading.Values[Metrics.FileSystemErrors],
            reading.Values[Metrics.CardErrors]));
        Assert.StartsWith("EXT4-fs error (device mmcblk0p2)", reading.Facts[StatusFact.LastKernelError], StringComparison.Ordinal);

        File.AppendAllText(Path.Combine(_root.Folder, "dev/kmsg"),
            "3,5,1800000,-;Out of memory: Killed process 1873 (a\u001b[31m) total-vm:1kB\n");
        reading = sampler.Sample(withProcesses: false);
        Assert.Equal((1.0, 1.0), (reading.Values[Metrics.OomKills], reading.Values[Metrics.CardErrors]));
        Assert.Equal("Out of memory: Killed process 1873 (a\ufffd[31m) total-vm:1kB", reading.Facts[StatusFact.LastKernelError]);
    }

    [Fact]
    public void The_kernels_own_count_of_kills_is_read_again_when_its_log_tells_of_one()
    {
        _root.File("dev/kmsg", "6,1,0,-;Booting\n").File("proc/vmstat", "nr_free_pages 1\noom_kill 4\noom_kill_other 9\n");
        using var sampler = new StatusSampler(_root.Folder, new StepClock(), new FakeFirmware());
        Assert.Equal(4, sampler.Sample(withProcesses: false).Values[Metrics.OomKills]);
        _root.File("proc/vmstat", "oom_kill 5\n");
        File.AppendAllText(Path.Combine(_root.Folder, "dev/kmsg"), "3,5,1,-;Out of memory: Killed process 1 (x) total-vm:1kB\n");
        Assert.Equal(5, sampler.Sample(withProcesses: false).Values[Metrics.OomKills]);
    }

    [Fact]
    public void A_machine_that_hides_its_log_knows_of_no_errors()
    {
        using var sampler = new StatusSampler(_root.Folder, new StepClock(), new FakeFirmware());
        Assert.DoesNotContain(Metrics.CardErrors, sampler.Sample(withProcesses: false).Values.Keys);
    }
}
