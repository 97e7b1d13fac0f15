using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>What <c>bootstrap flash</c> must refuse, on block devices of the running kernel: a reason, and not one byte.</summary>
public sealed class FlashTests : IAsyncLifetime
{
    private const int CardBytes = 16 << 20;

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    /// <summary>
    /// A mount namespace in which a loop device ($1) is the disk <c>/dev/shm/sdz</c>, with whatever else its sysfs folder is to say ($2,
    /// shell),
    /// and the rest runs.
    /// </summary>
    private const string AsDisk = """
        set -e
        number=$(cat /sys/class/block/${1#/dev/}/dev) sectors=$(cat /sys/class/block/${1#/dev/}/size)
        mount -t tmpfs none /dev/shm
        mknod /dev/shm/sdz b ${number%:*} ${number#*:}
        mkdir -p /dev/shm/sys/sdz && cd /dev/shm/sys/sdz
        echo $number >dev; echo $sectors >size; echo 0 >ro; echo 1 >removable
        eval "$2"
        cd / && mount --bind /dev/shm/sys /sys/class/block
        shift 2 && exec "$@"
        """;

    /// <summary>A mount namespace whose root file system is that of a loop device ($1), mounted at $2; the rest runs in it.</summary>
    private const string AsRoot = """
        set -e
        mount "$1" "$2"
        for entry in /*; do
          if [ -L $entry ]; then cp -P $entry "$2/"
          elif [ -d $entry ]; then mkdir -p "$2$entry"; mount --rbind $entry "$2$entry"
          fi
        done
        root=$2; shift 2 && exec chroot "$root" "$@"
        """;

    private CommandLine _line = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "loop devices and mounts need root: run with sudo");
        _line = await CommandLine.StartAsync();
        using HttpClient api = _line.Appliance.CreateClient();
        using HttpResponseMessage imported = await api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.CreateWithoutRoot(2 << 20)), s_end);
        Assert.True(imported.IsSuccessStatusCode);
    }

    public ValueTask DisposeAsync() => _line?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Card_is_written_once_its_name_was_typed()
    {
        await using LoopDevice card = await LoopDevice.AttachAsync(_line.Folder, CardBytes);
        (int code, string output, string errors) = await _line.RunAsync([], card.Path + "\n", "flash", "tiny", card.Path);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("were written and read back", output, StringComparison.Ordinal);
        byte[] image = TinyImage.CreateWithoutRoot(2 << 20);
        Assert.Equal(image, (await card.ReadAsync())[..image.Length]);
    }

    [Theory]
    [InlineData("no\n")]
    [InlineData("y\n")]
    [InlineData("")]
    public async Task Anything_but_the_cards_name_at_the_question_writes_nothing(string answer)
    {
        await using LoopDevice card = await LoopDevice.AttachAsync(_line.Folder, CardBytes);
        await RefusedAsync(card, card.Path, [], answer, "nothing was written");
    }

    [Fact]
    public async Task Card_that_is_too_small_is_refused()
    {
        await using LoopDevice card = await LoopDevice.AttachAsync(_line.Folder, 1 << 20);
        await RefusedAsync(card, card.Path, [], "", "are needed: nothing was written", "--yes");
    }

    [Fact]
    public async Task Mounted_device_is_refused()
    {
        await using LoopDevice card = await LoopDevice.AttachAsync(_line.Folder, CardBytes, ext4: true);
        string mounted = Directory.CreateDirectory(Path.Combine(_line.Folder, "mounted")).FullName;
        await CommandLine.ToolAsync("mount", "-o", "ro", card.Path, mounted);
        try
        {
            await RefusedAsync(card, card.Path, [], "", $"is in use: it is mounted at {mounted}", "--yes");
        }
        finally
        {
            await CommandLine.ToolAsync("umount", mounted);
        }
    }

    [Fact]
    public async Task Disk_that_the_system_runs_from_is_refused()
    {
        await using LoopDevice disk = await LoopDevice.AttachAsync(_line.Folder, CardBytes, ext4: true);
        string root = Directory.CreateDirectory(Path.Combine(_line.Folder, "root")).FullName;
        // Its file system is mounted for writing here: what must not have come is the image.
        (int code, string output, string errors) = await _line.RunAsync(
            ["unshare", "-m", "sh", "-c", AsRoot, "sh", disk.Path, root], "", "flash", "tiny", disk.Path, "--yes");
        Assert.Equal((1, "", $"bootstrap: {disk.Path} is the disk that this machine runs from"), (code, output, errors));
        await CommandLine.ToolAsync("e2fsck", "-f", "-n", disk.Path);
    }

    [Fact]
    public async Task Partition_is_refused()
    {
        await using LoopDevice disk = await LoopDevice.AttachAsync(_line.Folder, CardBytes);
        await RefusedAsync(disk, "/dev/shm/sdz", DiskOf(disk, "echo 1 >partition"), "", "is a partition: name the whole card or stick",
            "--yes");
    }

    [Fact]
    public async Task Disk_that_is_not_removable_is_refused()
    {
        await using LoopDevice disk = await LoopDevice.AttachAsync(_line.Folder, CardBytes);
        await RefusedAsync(disk, "/dev/shm/sdz", DiskOf(disk, "echo 0 >removable"), "", "is not removable: only cards, USB sticks and " +
            "loop devices", "--yes");
    }

    [Fact]
    public async Task Soldered_memory_is_refused_and_a_card_in_a_built_in_reader_is_not()
    {
        await using LoopDevice disk = await LoopDevice.AttachAsync(_line.Folder, CardBytes);
        const string mmc = "echo 0 >removable; mkdir device; echo {0} >device/type";
        await RefusedAsync(disk, "/dev/shm/sdz", DiskOf(disk, string.Format(null, mmc, "MMC")), "", "is not removable", "--yes");
        (int code, _, string errors) = await _line.RunAsync(DiskOf(disk, string.Format(null, mmc, "SD")), "", "flash", "tiny",
            "/dev/shm/sdz", "--yes");
        Assert.Equal((0, ""), (code, errors));
    }

    [Fact]
    public async Task Disk_of_a_raid_or_encrypted_volume_is_refused()
    {
        await using LoopDevice disk = await LoopDevice.AttachAsync(_line.Folder, CardBytes);
        await RefusedAsync(disk, "/dev/shm/sdz", DiskOf(disk, "mkdir holders holders/dm-0"), "", "belongs to a RAID, LVM or encrypted " +
            "volume", "--yes");
    }

    [Fact]
    public async Task Folder_and_file_that_exists_are_refused()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_line.Folder, "folder")).FullName;
        string file = Path.Combine(folder, "letters.txt");
        await File.WriteAllTextAsync(file, "dear", s_end);
        Assert.Equal((1, "", $"bootstrap: {folder} is a folder: name a card, such as /dev/sdb"),
            await _line.RunAsync("flash", "tiny", folder, "--yes"));
        (int code, string output, string errors) = await _line.RunAsync("flash", "tiny", file, "--yes");
        Assert.Equal((1, "", $"bootstrap: {file} exists already, and is not a card: name a card, such as /dev/sdb, or a new file"),
            (code, output, errors));
        Assert.Equal("dear", await File.ReadAllTextAsync(file, s_end));
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task Image_can_be_written_to_a_new_file()
    {
        string file = Path.Combine(_line.Folder, "card.img");
        (int code, _, string errors) = await _line.RunAsync("flash", "tiny", file, "--yes");
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(TinyImage.CreateWithoutRoot(2 << 20), await File.ReadAllBytesAsync(file, s_end));
    }

    private static string[] DiskOf(LoopDevice loop, string change) => ["unshare", "-m", "sh", "-c", AsDisk, "sh", loop.Path, change];

    /// <summary>Tries to flash; sees one sentence with the reason, and every byte of the card as it was.</summary>
    private async Task RefusedAsync(LoopDevice card, string path, string[] wrapper, string answer, string reason, params string[] options)
    {
        byte[] before = await card.ReadAsync();
        (int code, _, string errors) = await _line.RunAsync(wrapper, answer, ["flash", "tiny", path, .. options]);
        Assert.Equal(1, code);
        Assert.StartsWith("bootstrap: ", errors, StringComparison.Ordinal);
        Assert.Contains(reason, errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', errors);
        Assert.Equal(before, await card.ReadAsync());
    }
}
