using System.Net;
using System.Text.Json;
using Bootstrap.Agent.Slots;
using Bootstrap.Imaging.Tests;
using Bootstrap.Installer;
using Bootstrap.Installer.Tests;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>A whole update of the slot that is not in use, on a disk of loop devices.</summary>
[Collection(Mounting.Name)]
public sealed class SlotUpdateTests : IDisposable
{
    private static readonly byte[] s_slave = [1, 2, 3, 4], s_packedSlave = new ZstdSharp.Compressor().Wrap(s_slave).ToArray();

    private static InstallResult Succeeded { get; } = new(true, false, "", DiskState.Installed, false);

    // The running system's disk and the image have signatures of their own: they were made at different times.
    private readonly TwoSlotDisk _old = TwoSlotDisk.Pi("1", fill: root =>
    {
        Directory.CreateDirectory(Path.Combine(root, "home/ada"));
        File.WriteAllText(Path.Combine(root, "home/ada/letter"), "dear Charles");
        File.SetUnixFileMode(Path.Combine(root, "home/ada/letter"), UnixFileMode.UserRead);
        File.AppendAllText(Path.Combine(root, "etc/passwd"), "ada:x:1234:1234::/home/ada:/bin/sh\n");
    }, hasSecond: true);

    private readonly TwoSlotDisk _new = TwoSlotDisk.Pi("2", signature: "feedbeef");
    private readonly TestStore _store = new();
    private readonly List<string> _log = [];
    private readonly List<TaskProgress> _progress = [];
    private readonly Guid _task = Guid.NewGuid();
    private SignedManifest? _signed;

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
        _store.Dispose();
    }

    /// <param name="change">Of the image's manifest, before it is signed.</param>
    private async Task<InstallResult> UpdateAsync(LoopSlots disk, string? image = null, string[]? keep = null, Func<ImageManifest,
        ImageManifest>? change = null, string architecture = "arm64",
        SlotLayout? layout = null, ISlotSwitch? firmware = null)
    {
        if (_signed is null)
        {
            (Digest digest, ImageManifest manifest) = await _store.ImportAsync(image ?? _new.Image);
            _signed = change is null ? _store.Store.ReadManifest(digest)! : _store.Signer.Sign(change(manifest));
        }
        var files = JsonSerializer.Deserialize(_signed.Manifest, ProtocolJson.Default.ImageManifest)!.Chunks.DistinctBy(c => c.StoredDigest)
            .ToDictionary(c => $"/store/chunks/{c.StoredDigest}", c => File.ReadAllBytes(_store.Store.ChunkPath(c.StoredDigest)));
        files["/programs/slave"] = s_packedSlave;
        files[$"/store/manifests/{_signed.Digest}"] = JsonSerializer.SerializeToUtf8Bytes(_signed, ProtocolJson.Default.SignedManifest);
        await using var server = new TestServer(files);
        using var store = new StoreClient(server.Address, _log.Add, new HastyTime());
        using NodeIdentity identity = TestIdentity.Create("mac-525400000001");
        var order = new UpdateSlotOrder(_signed.Digest, new NodeConfiguration("node-1", ["ssh-ed25519 AAAA test"],
            new RemoteFile("/programs/slave", Digest.Of(s_packedSlave), s_packedSlave.Length), ["10.0.0.1"], "default"), keep);
        layout ??= disk.Layout;
        using var update = new SlotUpdate(_task, order, store,
            new InstallTrust(_store.Authority, identity.Pem, new ApplianceEndpoint(IPAddress.Loopback, 8444)), architecture,
            layout, disk, firmware ?? new AutobootSwitch(layout, disk), _progress.Add, _log.Add, TimeProvider.System);
        return await update.RunAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(false, 3, 6, 2, 5)]
    [InlineData(true, 2, 5, 3, 6)]
    public async Task The_other_slot_gets_the_image_and_the_running_one_stays_byte_for_byte(
        bool runsSecond, int boot, int root, int runningBoot, int runningRoot)
    {
        using var disk = new LoopSlots(_old.Image, runsSecond);
        if (runsSecond)
        {
            Swap(disk);
        }
        string before = disk.DigestOf(1, runningBoot, runningRoot);
        InstallResult result = await UpdateAsync(disk, keep: ["/home", "/etc/machine-id"]);
        Assert.Equal(Succeeded, result);
        Assert.Equal(before, disk.DigestOf(1, runningBoot, runningRoot));

        disk.Check(root);
        Assert.Equal("2", disk.Text(root, "version"));
        Assert.Equal($"console=ttyAMA0 root=PARTUUID=1a2b3c4d-{root:x2} rootwait  panic=10\n", disk.Text(boot, "cmdline.txt"));
        Assert.Equal($"PARTUUID=1a2b3c4d-{root:x2} / ext4 defaults 0 1\nPARTUUID=1a2b3c4d-{boot:x2} /boot/firmware vfat defaults 0 2\n",
            disk.Text(root, "etc/fstab"));
        Assert.Equal("node-1\n", disk.Text(root, "etc/hostname"));
        Assert.Contains($"\"installId\":\"{_task}\"", disk.Text(root, "etc/bootstrap/node.json"));
        Assert.Equal("dear Charles", disk.Text(root, "home/ada/letter"));
        Assert.Contains("ada:x:1234:", disk.Text(root, "etc/passwd"));
        Assert.Equal(UnixFileMode.UserRead, disk.With(root, folder => File.GetUnixFileMode(Path.Combine(folder, "home/ada/letter"))));
        Assert.Equal(s_slave, disk.With(root, folder => File.ReadAllBytes(Path.Combine(folder, "usr/local/bin/bootstrap-slave"))));

        Assert.Equal("/cmdline.txt\n", disk.Text(root, "etc/bootstrap/slot-trial"));
        Assert.Contains("OnBootSec=15min", disk.With(root, folder => File.ReadAllText(Path.Combine(folder,
            new FileInfo(Path.Combine(folder, "etc/systemd/system/timers.target.wants/bootstrap-slot-return.timer")).LinkTarget!.TrimStart(
            '/')))));
        Assert.Contains("RuntimeWatchdogSec=15", disk.Text(root, "etc/systemd/system.conf.d/bootstrap-slot-trial.conf"));
        Assert.Equal(["checking", "writing", "verifying", "configuring"], _progress.Select(p => p.Phase).Distinct());
        Assert.Contains(_progress, p => p.Phase == "writing" && p.Total > 0 && p.Done == p.Total);
    }

    [Fact]
    public async Task Whenever_the_power_goes_the_running_slot_is_untouched_and_the_next_attempt_completes()
    {
        int writes;
        using (var whole = new LoopSlots(_old.Image))
        {
            Assert.Equal(Succeeded, await UpdateAsync(whole));
            writes = whole.Writes;
        }
        Assert.True(writes > 6);
        for (int cut = 0; cut < writes; cut++)
        {
            using var disk = new LoopSlots(_old.Image) { WritesLeft = cut };
            string before = disk.DigestOf(1, 2, 5);
            InstallResult first = await UpdateAsync(disk);
            Assert.Equal((false, DiskState.Installed), (first.Succeeded, first.Disk));
            Assert.EndsWith("; the running system is untouched, and starts as before", first.Cause, StringComparison.Ordinal);
            Assert.Equal(before, disk.DigestOf(1, 2, 5));
            // Of the boot partition and the root, one after the other, before and after everything else; a write that the power takes away
            // is half done.
            Assert.Equal((cut >= 1 && cut < writes - 2, cut >= 2 && cut < writes - 1), (disk.IsBlank(3), disk.IsBlank(6)));
            disk.WritesLeft = null;
            Assert.Equal(Succeeded, await UpdateAsync(disk));
            Assert.Equal(before, disk.DigestOf(1, 2, 5));
            disk.Check(6);
            Assert.Equal("2", disk.Text(6, "version"));
        }
    }

    [Fact]
    public async Task What_the_slot_holds_already_is_not_written_again()
    {
        using var disk = new LoopSlots(_old.Image);
        Assert.Equal(Succeeded, await UpdateAsync(disk));
        long first = disk.BytesWritten;
        Assert.Equal(Succeeded, await UpdateAsync(disk));
        Assert.InRange(disk.BytesWritten - first, 1, first - 1);
        Assert.Contains(_log, line => line.EndsWith("bytes were there already", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("LABEL=rootfs")]
    [InlineData("UUID=0b3a9c0e-7b9e-4a3c-9a43-1e0e4f1d2c3b")]
    public async Task An_image_that_names_its_root_by_what_both_slots_have_is_refused_with_the_reason(string name)
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi("2", rootOf: _ => name);
        using var disk = new LoopSlots(_old.Image);
        string before = disk.DigestOf(1, 2, 5);
        InstallResult result = await UpdateAsync(disk, image.Image, change: manifest => manifest with { Slots = [new(2, 5), new(3, 6)] });
        Assert.False(result.Succeeded);
        Assert.StartsWith($"cmdline.txt of the image names its root by root={name}, which is not one slot's alone", result.Cause,
            StringComparison.Ordinal);
        Assert.Equal(before, disk.DigestOf(1, 2, 5));
    }

    [Fact]
    public async Task An_fstab_that_names_file_systems_by_what_both_slots_have_names_partitions_afterwards()
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi("2", fill: root => File.WriteAllText(
            Path.Combine(root, "etc/fstab"), "LABEL=rootfs / ext4 defaults 0 1\n# a comment\nLABEL=data /data ext4 defaults 0 2\n"));
        using var disk = new LoopSlots(_old.Image);
        Assert.Equal(Succeeded, await UpdateAsync(disk, image.Image));
        Assert.Equal("PARTUUID=1a2b3c4d-06 / ext4 defaults 0 1\n# a comment\nLABEL=data /data ext4 defaults 0 2\n",
            disk.Text(6, "etc/fstab"));
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_before_the_first_write()
    {
        using var disk = new LoopSlots(_old.Image);
        string before = disk.DigestOf(1, 2, 3, 5, 6);
        await RefusedAsync("is for arm64, this board is amd64", UpdateAsync(disk, architecture: "amd64"));
        await RefusedAsync("needs 25165824 there: update the whole disk",
            UpdateAsync(disk, layout: With(6, p => p with { Length = p.Length - 512 })));
        await RefusedAsync("are not those of this disk (here the running one has partitions 2 and 7)",
            UpdateAsync(disk, layout: disk.Layout with { Running = new ImageSlot(2, 7) }));
        await RefusedAsync("restart the node first",
            UpdateAsync(disk, layout: disk.Layout with { Running = new ImageSlot(3, 6), OtherBoot = 2 }));
        await RefusedAsync("partition 6 of this disk is not the one that image",
            UpdateAsync(disk, layout: With(6, p => p with { Start = p.Start + 512 })));
        await RefusedAsync("partition 5 of this disk is not the one that image",
            UpdateAsync(disk, layout: With(5, p => p with { Length = p.Length + 512 })));
        await RefusedAsync("partition 3 of this disk is not the one that image",
            UpdateAsync(disk, layout: disk.Layout with { Chooser = 3 }, firmware: new AutobootSwitch(disk.Layout, disk)));
        using (disk.Mount(disk.Layout.Find(6)!, "ext4", readOnly: true))
        {
            InstallResult result = await UpdateAsync(disk);
            Assert.Equal((false, DiskState.Untouched), (result.Succeeded, result.Disk));
            Assert.Contains("opening", result.Cause);
        }
        Assert.Equal(before, disk.DigestOf(1, 2, 3, 5, 6));

        SlotLayout With(int number, Func<SlotPartition, SlotPartition> change) =>
            disk.Layout with { Partitions = [.. disk.Layout.Partitions.Select(p => p.Number == number ? change(p) : p)] };

        static async Task RefusedAsync(string reason, Task<InstallResult> update)
        {
            InstallResult result = await update;
            Assert.Contains(reason, result.Cause);
            Assert.Equal((false, DiskState.Untouched), (result.Succeeded, result.Disk));
        }
    }

    [Fact]
    public async Task A_last_partition_that_was_made_longer_is_the_images()
    {
        using var disk = new LoopSlots(_old.Image);
        SlotLayout longer = disk.Layout with
        {
            Partitions =
            [.. disk.Layout.Partitions.Select(p => p.Number == 6 ? p with { Length = p.Length + TwoSlotDisk.Mega } : p)]
        };
        Assert.Equal(Succeeded, await UpdateAsync(disk, layout: longer));
    }

    [Fact]
    public async Task More_to_keep_than_there_is_room_is_refused_before_the_first_write()
    {
        using TwoSlotDisk image =
            TwoSlotDisk.Pi("2", fill: root => File.WriteAllBytes(Path.Combine(root, "more"), TestDisk.Random(12_000_000, 5)));
        using var disk = new LoopSlots(_old.Image);
        disk.With(5, folder =>
        {
            File.WriteAllBytes(Path.Combine(folder, "home/ada/film"), TestDisk.Random(8_000_000, 4));
            return true;
        }, readOnly: false);
        string before = disk.DigestOf(1, 2, 3, 5, 6);
        InstallResult result = await UpdateAsync(disk, image.Image, keep: ["/home"]);
        Assert.Contains("in the other slot: keep less", result.Cause);
        Assert.Equal((false, DiskState.Untouched), (result.Succeeded, result.Disk));
        Assert.Equal(before, disk.DigestOf(1, 2, 3, 5, 6));
    }

    private static void Swap(LoopSlots disk) => disk.With(1, folder =>
    {
        string file = Path.Combine(folder, Autoboot.FileName);
        File.WriteAllText(file, new Autoboot(3, 2).Into(File.ReadAllText(file)));
        return true;
    }, readOnly: false);
}
