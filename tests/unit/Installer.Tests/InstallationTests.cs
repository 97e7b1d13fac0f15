using System.Buffers.Binary;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer.Tests;

public sealed partial class InstallationTests : IAsyncDisposable
{
    private const int DiskSize = 4 << 20;
    private static readonly byte[] s_slave = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
    private static readonly byte[] s_packedSlave = new ZstdSharp.Compressor().Wrap(s_slave).ToArray();

    private readonly TestImage _image = new();
    private readonly List<TaskProgress> _progress = [];
    private readonly List<string> _log = [];
    private readonly Guid _task = Guid.NewGuid();
    private readonly KeptServer _appliance = new();
    private readonly string _identity = NewIdentity();

    private async Task<InstallResult> InstallAsync(
        TestMachine machine, TestImage? image = null, Action<TestServer>? spoil = null, bool compare = false, string? disk = null,
        bool dryRun = false,
        CancellationTokenSource? stop = null, string[]? keep = null, string? identity = null, bool testCard = false)
    {
        image ??= _image;
        var files = new Dictionary<string, byte[]>(image.Files) { ["/programs/slave"] = s_packedSlave };
        await using var server = new TestServer(files);
        spoil?.Invoke(server);
        using var store = new StoreClient(server.Address, _log.Add, new HastyTime());
        var trust = new InstallTrust(
            TestImage.Authority, identity ?? _identity, new ApplianceEndpoint(System.Net.IPAddress.Loopback, 8444));
        var order = new InstallOrder(image.Signed.Digest, disk, compare, new NodeConfiguration("node-1", ["ssh-ed25519 AAAA test"],
            new RemoteFile("/programs/slave", Digest.Of(s_packedSlave), s_packedSlave.Length), ["10.0.0.1"], "default"), keep,
            TestCard: testCard);
        using var kept = new KeptClient(new SocketsHttpHandler(), _appliance.Address);
        using var installation = new Installation(_task, order, store, trust, machine, kept, _progress.Add, _log.Add, TimeProvider.System);
        return await installation.RunAsync(dryRun, stop?.Token ?? TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _appliance.DisposeAsync();

    private static MemoryDisk StaleDisk()
    {
        var disk = new MemoryDisk(DiskSize);
        disk.Content.AsSpan().Fill(0xa5);
        return disk;
    }

    /// <summary>The image's used bytes, with the grown entry, and what was there before everywhere else.</summary>
    private void AssertInstalled(MemoryDisk disk, bool freeSpaceUntouched = true)
    {
        Assert.Empty(IdentityRecord.FindIn(disk.Content.AsSpan(0, TestImage.BootStart)));
        byte[] expected = (byte[])_image.Raw.Clone();
        BinaryPrimitives.WriteInt32LittleEndian(expected.AsSpan(446 + 16 + 12), (DiskSize - TestImage.RootStart) / 512);
        for (int i = 0; i < DiskSize; i++)
        {
            if (i < TestImage.Size && _image.Used[i])
            {
                Assert.True(expected[i] == disk.Content[i], $"byte {i} is {disk.Content[i]}, not {expected[i]}");
            }
            else if (i is >= IdentityRecord.FirstPlace and < IdentityRecord.FirstPlace + IdentityRecord.Bytes)
            {
                Assert.True(disk.Content[i] == 0, "the identity was left where the image has nothing");
            }
            else if (freeSpaceUntouched)
            {
                Assert.True(disk.Content[i] == 0xa5, $"free byte {i} was written");
            }
        }
    }

    [Fact]
    public async Task An_image_is_written_byte_for_byte_and_free_space_is_left_alone()
    {
        MemoryDisk disk = StaleDisk();
        using var machine = new TestMachine(disk);
        InstallResult result = await InstallAsync(machine);
        Assert.Equal(new InstallResult(true, false, "", DiskState.Installed, false), result);
        AssertInstalled(disk);
        Assert.Equal(DiskSize - TestImage.RootStart, machine.Grown);
        Assert.Equal(new byte[512], machine.SectorZeroWhenMounted);
        Assert.Equal(new byte[512], machine.SectorZeroWhenForgotten);
        Assert.Equal(["checking", "writing", "verifying", "configuring"], _progress.Select(p => p.Phase).Distinct());
        Assert.Contains(_progress, p => p.Phase == "writing" && p.Done == p.Total && p.Total == _image.Manifest.UsedBytes);
    }

    [Fact]
    public async Task A_card_that_is_tested_before_is_written_whole_and_keeps_the_identity_meanwhile()
    {
        MemoryDisk disk = StaleDisk();
        using var machine = new TestMachine(disk);
        InstallResult result = await InstallAsync(machine, compare: true, testCard: true);
        Assert.Equal(new InstallResult(true, false, "", DiskState.Installed, false), result);
        AssertInstalled(disk, freeSpaceUntouched: false);
        Assert.Equal(["checking", "testing", "writing", "verifying", "configuring"],
            _progress.Select(p => p.Phase).Distinct().Where(phase => phase.Length > 0));
        Assert.Contains(_progress, p => p.Phase == "testing" && p.Done == p.Total && p.Total == 2 * (DiskSize - IdentityRecord.End));
        Assert.Equal((IdentityRecord.End, DiskSize - IdentityRecord.End), Assert.Single(disk.Discarded));
        Assert.Contains(_log, line => line.StartsWith("/dev/vda gives back what is written to it: 3 MB were written at "));
    }

    [Fact]
    public async Task A_card_that_fails_its_test_gets_no_system_and_is_not_tried_again()
    {
        MemoryDisk disk = StaleDisk();
        disk.DeadByte = 3_000_000;
        using var machine = new TestMachine(disk);
        InstallResult result = await InstallAsync(machine, testCard: true);
        Assert.Equal((false, false, true, DiskState.Unbootable), (result.Succeeded, result.MayPass, result.Final, result.Disk));
        Assert.Equal("/dev/vda does not give back what was written to it, at 2998272 of 4194304 bytes. Replace the card.", result.Cause);
        Assert.DoesNotContain(_progress, p => p.Phase == "verifying");
        Assert.NotEmpty(IdentityRecord.FindIn(disk.Content.AsSpan(0, IdentityRecord.End)));

        disk.WritesLeft = 1;
        result = await InstallAsync(machine, testCard: true);
        Assert.Equal(("the power is gone. Replace the card.", true), (result.Cause, result.Final));
    }

    [Fact]
    public async Task Of_an_image_with_two_slots_the_first_is_configured_and_nothing_grows()
    {
        MemoryDisk disk = StaleDisk();
        using var machine = new TestMachine(disk);
        var image = new TestImage(hasSlots: true);
        InstallResult result = await InstallAsync(machine, image);
        Assert.Equal(new InstallResult(true, false, "", DiskState.Installed, false), result);
        Assert.Equal((TestImage.FirstRoot, null), (machine.Mounted, machine.Grown));
        Assert.Equal(image.Raw[..512], disk.Content[..512]);
    }

    [Fact]
    public async Task The_root_that_the_image_states_is_configured_and_not_the_data_behind_it()
    {
        using var machine = new TestMachine(StaleDisk());
        InstallResult result = await InstallAsync(machine, new TestImage(root: new ImageRoot(2)));
        Assert.Equal(new InstallResult(true, false, "", DiskState.Installed, false), result);
        Assert.Equal((2, null), (machine.Mounted, machine.Grown));
    }

    [Fact]
    public async Task An_image_whose_root_is_not_known_is_refused_before_the_first_write()
    {
        using var machine = new TestMachine(StaleDisk());
        InstallResult result = await InstallAsync(machine, new TestImage(
            root: new ImageRoot(null, "its boot loader's configuration names several roots: partition 2 'rootfs', partition 3 'data'")));
        Assert.Equal((false, false, DiskState.Untouched, 0), (result.Succeeded, result.MayPass, result.Disk, machine.Disk.Writes));
        Assert.Equal("image 'test' is refused: its boot loader's configuration names several roots: " +
            "partition 2 'rootfs', partition 3 'data'", result.Cause);
    }

    [Fact]
    public async Task The_new_system_is_this_nodes_own()
    {
        using var machine = new TestMachine(StaleDisk());
        Directory.CreateDirectory(Path.Combine(machine.RootFolder, "usr/lib/systemd"));
        File.WriteAllText(Path.Combine(machine.RootFolder, "usr/lib/systemd/systemd"), "");
        Directory.CreateDirectory(Path.Combine(machine.RootFolder, "etc/ssh"));
        File.WriteAllText(Path.Combine(machine.RootFolder, "etc/ssh/ssh_host_rsa_key"), "everyone's");
        File.WriteAllText(Path.Combine(machine.RootFolder, "etc/hosts"), "127.0.0.1 localhost\n127.0.1.1 raspberrypi\n");
        await InstallAsync(machine);
        string Text(string path) => File.ReadAllText(Path.Combine(machine.RootFolder, path));
        UnixFileMode Mode(string path) => File.GetUnixFileMode(Path.Combine(machine.RootFolder, path));
        Assert.Equal("node-1\n", Text("etc/hostname"));
        Assert.Equal("127.0.0.1 localhost\n127.0.1.1\tnode-1\n", Text("etc/hosts"));
        Assert.Equal("ssh-ed25519 AAAA test\n", Text("root/.ssh/authorized_keys"));
        Assert.Equal(s_slave, File.ReadAllBytes(Path.Combine(machine.RootFolder, "usr/local/bin/bootstrap-slave")));
        Assert.Equal("", Text("etc/machine-id"));
        Assert.False(File.Exists(Path.Combine(machine.RootFolder, "etc/ssh/ssh_host_rsa_key")));
        Assert.Contains("ExecStart=/usr/local/bin/bootstrap-slave", Text("etc/systemd/system/bootstrap-slave.service"));
        Assert.Contains("\"backends\":[\"10.0.0.1\",\"127.0.0.1:8444\"]", Text("etc/bootstrap/node.json"));
        Assert.Contains("\"installId\":", Text("etc/bootstrap/node.json"));
        Assert.Contains("-----BEGIN PRIVATE KEY", Text("etc/bootstrap/node.pem"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode("etc/bootstrap/node.pem"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, Mode("root/.ssh"));
    }

    [Fact]
    public async Task Whenever_the_power_goes_the_disk_does_not_look_installed_and_the_next_attempt_completes_it()
    {
        using var whole = new TestMachine(StaleDisk());
        await InstallAsync(whole);
        int writes = whole.Disk.Writes;
        for (int cut = 0; cut < writes; cut++)
        {
            MemoryDisk disk = StaleDisk();
            disk.WritesLeft = cut;
            using var machine = new TestMachine(disk);
            InstallResult first = await InstallAsync(machine);
            Assert.False(first.Succeeded);
            Assert.Equal(DiskState.Unbootable, first.Disk);
            if (cut == writes - 1)
            {
                // All was done but to remove the record of who this is.
                Assert.Equal(whole.Disk.Content[..512], disk.Content[..512]);
            }
            else if (cut > 0)
            {
                Assert.Equal(new byte[512], disk.Content[..512]);
            }
            disk.WritesLeft = null;
            InstallResult second = await InstallAsync(machine, compare: true);
            Assert.True(second.Succeeded, second.Cause);
            AssertInstalled(disk, freeSpaceUntouched: cut > 1);
        }
    }

    [Fact]
    public async Task Comparing_writes_only_what_differs()
    {
        MemoryDisk disk = StaleDisk();
        using var machine = new TestMachine(disk);
        await InstallAsync(machine);
        disk.Content[TestImage.ChunkSize * 3] ^= 1;
        long before = disk.BytesWritten;
        InstallResult result = await InstallAsync(machine, compare: true);
        Assert.True(result.Succeeded, result.Cause);
        AssertInstalled(disk);
        int spoiled = _image.Manifest.Chunks.Single(c => c.Index == 3).Length;
        // The identity comes and goes beside it.
        Assert.Equal(4096 + 2 * IdentityRecord.Bytes + spoiled + _image.Manifest.Chunks[0].Length, disk.BytesWritten - before);
    }

    [Fact]
    public async Task A_flipped_byte_in_a_stored_chunk_fails_with_both_digests_and_leaves_no_bootable_disk()
    {
        MemoryDisk disk = StaleDisk();
        using var machine = new TestMachine(disk);
        ImageChunk chunk = _image.Manifest.Chunks[5];
        string path = $"/store/chunks/{chunk.StoredDigest}";
        InstallResult result = await InstallAsync(machine, spoil: server =>
        {
            byte[] spoiled = (byte[])server.Files[path].Clone();
            spoiled[20] ^= 1;
            server.Files[path] = spoiled;
        });
        Assert.Equal((false, false, DiskState.Unbootable), (result.Succeeded, result.MayPass, result.Disk));
        Assert.Contains($"chunk {chunk.Index} ", result.Cause);
        Assert.Contains(chunk.StoredDigest.ToString(), result.Cause);
        Assert.Contains("its digest is", result.Cause);
        Assert.Equal(new byte[512], disk.Content[..512]);
    }

    [Fact]
    public async Task A_chunk_that_the_appliance_knows_to_be_damaged_is_asked_for_once()
    {
        using var machine = new TestMachine(StaleDisk());
        ImageChunk chunk = _image.Manifest.Chunks[5];
        string path = $"/store/chunks/{chunk.StoredDigest}";
        Dictionary<string, int> requests = [];
        InstallResult result = await InstallAsync(machine, spoil: server =>
        {
            server.Damaged.Add(path);
            requests = server.Requests;
        });
        Assert.Equal((false, true, DiskState.Unbootable), (result.Succeeded, result.Final, result.Disk));
        Assert.EndsWith($"the appliance's stored chunk {chunk.Index} is damaged: import the image again", result.Cause,
            StringComparison.Ordinal);
        Assert.Equal(1, requests[path]);
    }

    [Fact]
    public async Task A_truncated_download_is_asked_for_again()
    {
        using var machine = new TestMachine(StaleDisk());
        string path = $"/store/chunks/{_image.Manifest.Chunks[2].StoredDigest}";
        InstallResult result = await InstallAsync(machine, spoil: server => server.CutAfter[path] = 100);
        Assert.True(result.Succeeded, result.Cause);
        AssertInstalled(machine.Disk);
        Assert.Contains(_log, line => line.Contains("trying again"));
    }

    [Fact]
    public async Task A_chunk_that_the_appliance_lacks_fails_by_name_and_may_pass()
    {
        using var machine = new TestMachine(StaleDisk());
        InstallResult result =
            await InstallAsync(machine, spoil: server => server.Files.Remove($"/store/chunks/{_image.Manifest.Chunks[2].StoredDigest}"));
        Assert.Equal((false, true), (result.Succeeded, result.MayPass));
        Assert.Contains("404", result.Cause);
    }

    [Fact]
    public async Task A_disk_that_does_not_keep_what_it_was_given_is_found_out()
    {
        MemoryDisk disk = StaleDisk();
        disk.DeadByte = TestImage.ChunkSize * 2 + 5;
        using var machine = new TestMachine(disk);
        InstallResult result = await InstallAsync(machine);
        Assert.Equal((false, DiskState.Unbootable), (result.Succeeded, result.Disk));
        Assert.Contains("reading back chunk 2", result.Cause);
    }

    [Fact]
    public async Task An_image_that_does_not_fit_is_refused_before_the_first_write()
    {
        using var machine = new TestMachine(new MemoryDisk(TestImage.Size - 512));
        await AssertRefusedAsync(machine, "too small");
    }

    [Fact]
    public async Task An_image_for_another_architecture_is_refused_before_the_first_write()
    {
        using var machine = new TestMachine(StaleDisk(), "amd64");
        await AssertRefusedAsync(machine, "is for arm64, this board is amd64");
    }

    [Fact]
    public async Task Among_several_disks_none_is_guessed()
    {
        using var machine = new TestMachine(StaleDisk());
        DiskInfo vda = machine.Board.Disks[0];
        machine.Board = machine.Board with { Disks = [vda, vda with { Name = "sda", Kind = "usb", Model = "Stick" }] };
        await AssertRefusedAsync(machine, "several disks, name one of them: vda (0.0 GB virtio), sda (0.0 GB usb Stick)");
        Assert.True((await InstallAsync(machine, disk: "vda")).Succeeded);
    }

    [Fact]
    public async Task A_disk_that_is_not_there_is_refused() =>
        await AssertRefusedAsync(new TestMachine(StaleDisk()), "there is no disk nvme0n1", disk: "nvme0n1");

    [Fact]
    public async Task A_manifest_that_someone_else_signed_is_refused_before_the_first_write()
    {
        (System.Security.Cryptography.ECDsa key, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate) =
            TestImage.Issue("node-7");
        var forged = SignedManifest.Create(_image.Manifest, certificate, key);
        using var machine = new TestMachine(StaleDisk());
        InstallResult result = await InstallAsync(machine, spoil: server => server.Files[$"/store/manifests/{_image.Signed.Digest}"] =
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(forged, ProtocolJson.Default.SignedManifest));
        Assert.Equal(DiskState.Untouched, result.Disk);
        Assert.Contains("signer", result.Cause);
        Assert.Equal(0, machine.Disk.Writes);
    }

    [Fact]
    public async Task A_dry_run_names_every_step_and_writes_nothing()
    {
        using var machine = new TestMachine(StaleDisk());
        InstallResult result = await InstallAsync(machine, dryRun: true);
        Assert.Equal((false, DiskState.Untouched, 0), (result.Succeeded, result.Disk, machine.Disk.Writes));
        Assert.Contains(_log, line => line == "dry run, left out: writing: make the disk unbootable until all is done");
        Assert.Equal(6, _log.Count(line => line.StartsWith("dry run", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Cancelling_says_honestly_what_the_disk_is()
    {
        using var machine = new TestMachine(StaleDisk());
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        Assert.Equal(new InstallResult(false, true, "cancelled", DiskState.Untouched, false), await InstallAsync(machine, stop: stop));
    }

    private async Task AssertRefusedAsync(TestMachine machine, string reason, string? disk = null)
    {
        InstallResult result = await InstallAsync(machine, disk: disk);
        Assert.Contains(reason, result.Cause);
        Assert.Equal((false, false, DiskState.Untouched, 0), (result.Succeeded, result.MayPass, result.Disk, machine.Disk.Writes));
    }
}
