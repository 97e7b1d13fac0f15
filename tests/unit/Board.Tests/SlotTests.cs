using System.Buffers.Binary;
using System.Text;
using Bootstrap.Agent;
using Bootstrap.Agent.Slots;
using Bootstrap.Imaging.Tests;
using Bootstrap.Installer;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Board.Tests;

/// <summary>Which slots a machine has, and how its firmware is made to start one of them.</summary>
[Collection(Mounting.Name)]
public sealed class SlotTests : IDisposable
{
    private readonly FixtureRoot _root = new();

    public void Dispose() => _root.Dispose();

    private string Root => _root.Folder;

    /// <summary>A disk of /sys, with the running system on one of its partitions.</summary>
    private void Disk(string name, IEnumerable<KeyValuePair<int, (long Start, long Length)>> partitions, int running, string mounts = "")
    {
        foreach ((int number, (long start, long length)) in partitions)
        {
            string at = $"sys/devices/{name}/{name}p{number}";
            _root.File($"{at}/partition", $"{number}\n").File($"{at}/start", $"{start * 2048}\n").File($"{at}/size", $"{length * 2048}\n");
        }
        Directory.CreateDirectory(Path.Combine(Root, "sys/dev/block"));
        File.CreateSymbolicLink(Path.Combine(Root, "sys/dev/block/179:9"), $"../../devices/{name}/{name}p{running}");
        _root.File("proc/self/mountinfo", $"22 1 179:9 / / rw,noatime shared:1 - ext4 /dev/root rw\n{mounts}");
    }

    private void TryBootIsOffered() =>
        _root.File("proc/device-tree/chosen/bootloader/tryboot", [0, 0, 0, 0]).File("proc/sys/kernel/osrelease", "6.6.31+rpt-rpi-v8\n");

    [Fact]
    public void A_root_that_is_no_partition_has_no_slots()
    {
        TryBootIsOffered();
        Directory.CreateDirectory(Path.Combine(Root, "sys/dev/block"));
        _root.File("proc/self/mountinfo", "22 1 0:25 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/lower\n");
        Assert.False(SlotReader.IsPossible(Root));
        Assert.Null(SlotReader.RunningRoot(Root));
    }

    [Theory]
    [InlineData(5, 2, 3, "a")]
    [InlineData(6, 3, 2, "b")]
    public void A_Pi_knows_its_slots_by_autoboot_txt_and_where_its_root_is(int running, int boot, int other, string name)
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi(hasSecond: true);
        using var machine = new LoopSlots(image.Image);
        Disk("mmcblk0", TwoSlotDisk.Partitions, running);
        TryBootIsOffered();
        SlotLayout layout = new SlotReader(Root, machine.AsDisk("mmcblk0")).Find()!;
        Assert.Equal((SlotChoice.Autoboot, 1, new ImageSlot(boot, running), other),
            (layout.Choice, layout.Chooser, layout.Running, layout.OtherBoot));
        Assert.Equal(new SlotStatus(SlotChoice.Autoboot, name), layout.Status);
        Assert.Equal(machine.Layout.Partitions.Select(p => (p.Number, p.Start, p.Length, p.Names)),
            layout.Partitions.Select(p => (p.Number, p.Start, p.Length, p.Names)));
        Assert.Equal("/dev/mmcblk0p6", layout.Find(6)!.Device);
        Assert.Equal(running, SlotReader.RunningRoot(Root));
    }

    [Theory]
    [InlineData(5, 2, false, 2)]
    [InlineData(6, 3, true, 3)]
    [InlineData(5, null, false, 2)]
    [InlineData(5, 1, false, 2)]
    [InlineData(5, null, true, null)]
    public void Where_both_command_lines_name_the_running_root_the_firmware_says_which_slot_it_is(
        int running, int? told, bool isOnTrial, int? boot)
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi(hasSecond: true, rootOf: _ => $"PARTUUID=1a2b3c4d-{running:x2}");
        using var machine = new LoopSlots(image.Image);
        Disk("mmcblk0", TwoSlotDisk.Partitions, running);
        TryBootIsOffered();
        if (told is { } number)
        {
            _root.File("proc/device-tree/chosen/bootloader/partition", [0, 0, 0, (byte)number]);
        }
        if (isOnTrial)
        {
            _root.File("etc/bootstrap/slot-trial", "");
        }
        var reader = new SlotReader(Root, machine.AsDisk("mmcblk0"));
        if (boot is { } own)
        {
            Assert.Equal((new ImageSlot(own, running), own == 2 ? 3 : 2), (reader.Find()!.Running, reader.Find()!.OtherBoot));
        }
        else
        {
            Assert.Contains("cmdline.txt of both names the running system's root", Assert.Throws<IOException>(reader.Find).Message);
        }
    }

    [Theory]
    [InlineData(TwoSlotDisk.Autoboot, "cmdline.txt of neither")]
    [InlineData("[all]\ntryboot_a_b=1\nboot_partition=2\n", "does not choose between two partitions")]
    public void A_disk_whose_running_slot_nobody_can_tell_is_not_one_of_a_single_slot(
        string autoboot, string reason)
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi(hasSecond: true, rootOf: _ => "LABEL=rootfs", autoboot: autoboot);
        using var machine = new LoopSlots(image.Image);
        Disk("mmcblk0", TwoSlotDisk.Partitions, 5);
        TryBootIsOffered();
        Assert.Contains(reason, Assert.Throws<IOException>(new SlotReader(Root, machine.AsDisk("mmcblk0")).Find).Message);
    }

    [Fact]
    public void A_Pi_that_cannot_tryboot_has_one_slot()
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi();
        using var machine = new LoopSlots(image.Image);
        Disk("mmcblk0", TwoSlotDisk.Partitions, 5);
        Assert.Null(new SlotReader(Root, machine.AsDisk("mmcblk0")).Find());
        _root.File("proc/device-tree/chosen/bootloader/tryboot", [0, 0, 0, 0]).File("proc/sys/kernel/osrelease", "6.1.0-35-arm64\n");
        Assert.Null(new SlotReader(Root, machine.AsDisk("mmcblk0")).Find());
    }

    [Fact]
    public void A_disk_whose_first_FAT_has_no_autoboot_txt_has_one_slot()
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi(autoboot: "# none\n");
        using var machine = new LoopSlots(image.Image);
        Disk("mmcblk0", TwoSlotDisk.Partitions, 5);
        TryBootIsOffered();
        Assert.Null(new SlotReader(Root, machine.AsDisk("mmcblk0")).Find());
    }

    [Theory]
    [InlineData("rw", 3, "a")]
    [InlineData("rw", 4, "b")]
    [InlineData("ro", 3, null)]
    public void A_PC_knows_its_slots_by_partition_names_where_its_firmware_lets_variables_be_written(
        string efivars, int running, string? name)
    {
        using TwoSlotDisk image = TwoSlotDisk.Pc();
        Disk("nvme0n1", TwoSlotDisk.GptPartitions, running,
            $"30 22 0:26 / /sys/firmware/efi/efivars ro,nosuid shared:9 - efivarfs efivarfs {efivars}\n");
        SlotLayout? layout = new SlotReader(Root, new HeadOf(image.Image)).Find();
        Assert.Equal(name, layout?.Status.Slot);
        if (layout is not null)
        {
            Assert.Equal((SlotChoice.Efi, new ImageSlot(running - 2, running), running == 3 ? 2 : 1),
                (layout.Choice, layout.Running, layout.OtherBoot));
            Assert.Equal(new ImageSlot(running == 3 ? 2 : 1, running == 3 ? 4 : 3),
                layout.OtherOf(new ImageManifest(1, "", "amd64", 512, 4096, [], [], [new(1, 3), new(2, 4)])));
            // The other slot's root is the one that is called so, and no other of the image's.
            Assert.Null(layout.OtherOf(
                new ImageManifest(1, "", "amd64", 512, 4096, [], [], running == 3 ? [new(1, 3), new(2, 5)] : [new(1, 5), new(2, 4)])));
        }
    }

    [Fact]
    public void Committing_swaps_the_partitions_of_autoboot_txt_and_doing_it_again_changes_nothing()
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi(hasSecond: true, autoboot: "# ours\n" + TwoSlotDisk.Autoboot);
        using var machine = new LoopSlots(image.Image, runsSecond: true);
        var firmware = new AutobootSwitch(machine.Layout, machine);
        Assert.Contains("restart the node first", Assert.Throws<IOException>(firmware.Check).Message);
        firmware.Commit();
        const string swapped = "# ours\n[all]\ntryboot_a_b=1\nboot_partition=3\n[tryboot]\nboot_partition=2\n";
        Assert.Equal(swapped, machine.Text(1, "autoboot.txt"));
        string before = machine.DigestOf(1);
        firmware.Commit();
        firmware.Check();
        Assert.Equal((swapped, before), (machine.Text(1, "autoboot.txt"), machine.DigestOf(1)));
    }

    [Fact]
    public void A_commit_that_could_not_end_the_trial_does_not_tell_the_firmware()
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi(hasSecond: true);
        using var machine = new LoopSlots(image.Image, runsSecond: true);
        _root.File("etc/bootstrap/slot-trial", "/cmdline.txt\n");
        var readOnly = new ReadOnlyPartition(machine, 3);
        string before = machine.DigestOf(1, 2, 3);
        Assert.Contains("read-only", Assert.Throws<IOException>(
            () => SlotProgram.CommitSlot(Root, machine.Layout, readOnly, new AutobootSwitch(machine.Layout, readOnly))).Message);
        Assert.Equal(before, machine.DigestOf(1, 2, 3));
        Assert.True(SlotTrial.IsOn(Path.Combine(Root, "etc/bootstrap")));
    }

    [Fact]
    public void A_commit_that_was_broken_off_is_ended_at_the_next_start_and_a_trial_is_not()
    {
        using TwoSlotDisk image = TwoSlotDisk.Pi(hasSecond: true);
        using var machine = new LoopSlots(image.Image, runsSecond: true);
        using (var root = new RootedFolder(Root))
        {
            SlotTrial.Arm(root, ["/cmdline.txt"]);
        }
        var firmware = new AutobootSwitch(machine.Layout, machine);
        SlotProgram.FinishCommit(Root, machine.Layout, machine, firmware);
        Assert.False(firmware.IsCommitted);
        Assert.True(SlotTrial.IsOn(Path.Combine(Root, "etc/bootstrap")));
        firmware.Commit();
        Assert.True(firmware.IsCommitted);
        SlotProgram.FinishCommit(Root, machine.Layout, machine, firmware);
        Assert.False(SlotTrial.IsOn(Path.Combine(Root, "etc/bootstrap")));
    }

    [Fact]
    public void A_PCs_slot_is_tried_by_BootNext_and_committed_by_BootOrder()
    {
        string folder = Directory.CreateDirectory(Path.Combine(Root, "efivars")).FullName;
        const string global = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
        File.WriteAllBytes(Path.Combine(folder, $"Boot0000-{global}"), [7, 0, 0, 0, 1, 0, 0, 0, (byte)'x', 0, 0, 0]);
        File.WriteAllBytes(Path.Combine(folder, $"BootOrder-{global}"), [7, 0, 0, 0, 0, 0]);
        var variables = new EfiVariables(folder);
        SlotLayout layout = PcLayout(new ImageSlot(1, 3), 2);
        var firmware = new EfiSwitch(layout, variables, EfiSwitch.ProgramFor("amd64"));
        firmware.Check();
        firmware.Prepare();
        Assert.Equal((ushort)2, variables.Next);
        Assert.Equal([0], variables.Order);
        // Of an update that did not come to its restart; somebody else's stays.
        firmware.Check();
        Assert.Null(variables.Next);
        variables.Next = 0;
        Assert.Contains("BootNext is 0000", Assert.Throws<IOException>(firmware.Check).Message);
        firmware.Prepare();
        Assert.Equal((ushort)2, variables.Next);

        byte[] entry = variables.Read("Boot0002")!;
        Assert.Equal((1u, 42 + 4 + 2 * @"\EFI\BOOT\BOOTX64.EFI ".Length + 4),
            (BinaryPrimitives.ReadUInt32LittleEndian(entry), (int)BinaryPrimitives.ReadUInt16LittleEndian(entry.AsSpan(4))));
        byte[] description = Encoding.Unicode.GetBytes("Bootstrap slot b\0");
        Assert.Equal(description, entry[6..(6 + description.Length)]);
        byte[] drive = entry[(6 + description.Length)..];
        Assert.Equal([4, 1, 42, 0, 2, 0, 0, 0], drive[..8]);
        Assert.Equal((41 * 2048L, 40 * 2048L),
            (BinaryPrimitives.ReadInt64LittleEndian(drive.AsSpan(8)), BinaryPrimitives.ReadInt64LittleEndian(drive.AsSpan(16))));
        Assert.Equal((layout.Find(2)!.Names.Uuid, (byte)2, (byte)2), (new Guid(drive.AsSpan(24, 16)).ToString(), drive[40], drive[41]));
        Assert.Equal([4, 4], drive[42..44]);
        Assert.Equal([0x7f, 0xff, 4, 0], drive[^4..]);

        // The firmware takes BootNext away, and the new system commits.
        File.Delete(Path.Combine(folder, $"BootNext-{global}"));
        var tried = new EfiSwitch(PcLayout(new ImageSlot(2, 4), 1), variables, "BOOTX64.EFI");
        Assert.False(tried.IsCommitted);
        tried.Commit();
        Assert.True(tried.IsCommitted);
        tried.Commit();
        Assert.Equal([2, 0], variables.Order);

        // And back: the first slot's entry was made before.
        tried.Prepare();
        Assert.Equal((ushort)1, variables.Next);
        File.Delete(Path.Combine(folder, $"BootNext-{global}"));
        firmware.Commit();
        Assert.Equal([1, 2, 0], variables.Order);
        Assert.Equal(3, Directory.GetFiles(folder, "Boot000*").Length);

        // A disk that was written as a whole starts what is first on it.
        variables.Next = 2;
        // A plain file keeps its length where it is written to; a variable does not.
        File.Delete(Path.Combine(folder, $"BootOrder-{global}"));
        variables.Order = [0];
        SlotEntries.Remove(variables);
        SlotEntries.Remove(variables);
        Assert.Equal([0], variables.Order);
        Assert.Null(variables.Next);
        Assert.Equal($"Boot0000-{global}", Path.GetFileName(Assert.Single(Directory.GetFiles(folder, "Boot000*"))));
    }

    [Fact]
    public void A_PC_that_starts_from_the_network_first_goes_on_to_do_so()
    {
        string folder = Directory.CreateDirectory(Path.Combine(Root, "efivars")).FullName;
        var variables = new EfiVariables(folder);
        // A PCI root and device, a network card's address, and the end of the path.
        byte[] network = [2, 1, 12, 0, .. new byte[8], 1, 1, 6, 0, 0, 3, 3, 11, 37, 0, .. new byte[33], 0x7f, 0xff, 4, 0];
        byte[] disk = [2, 1, 12, 0, .. new byte[8], 1, 1, 6, 0, 0, 3, 0x7f, 0xff, 4, 0];
        ushort first = Put(network, "UEFI PXEv4"), second = Put(disk, "UEFI disk");
        Assert.Equal((true, false), (variables.IsNetwork(first), variables.IsNetwork(second)));
        variables.Order = [first, second];

        var tried = new EfiSwitch(PcLayout(new ImageSlot(2, 4), 1), variables, "BOOTX64.EFI");
        new EfiSwitch(PcLayout(new ImageSlot(1, 3), 2), variables, "BOOTX64.EFI").Prepare();
        ushort b = variables.Find("Bootstrap slot b")!.Value;
        Assert.Equal((b, false), (variables.Next!.Value, tried.IsCommitted));
        Assert.Equal([first, second], variables.Order);
        tried.Commit();
        Assert.True(tried.IsCommitted);
        Assert.Equal([first, b, second], variables.Order);

        ushort Put(byte[] path, string description) =>
            variables.Put([1, 0, 0, 0, (byte)path.Length, 0, .. Encoding.Unicode.GetBytes(description + '\0'), .. path], description);
    }

    [Theory]
    [InlineData("search --no-floppy --fs-uuid --set=root 1234-ABCD")]
    [InlineData("search.fs_uuid 1234-ABCD root")]
    [InlineData("set root='hd0,gpt2'")]
    public void A_menu_of_GRUB_that_goes_to_another_partition_is_refused(string line)
    {
        using var boot = new RootedFolder(
            _root.File("boot/grub/grub.cfg", $"{line}\n linux /vmlinuz root=PARTLABEL=root_a\n").Folder + "/boot");
        PartitionNames a = new(1, "", "root_a"), b = new(2, "", "root_b");
        Assert.Contains($"finds its partition by '{(line.StartsWith("set", StringComparison.Ordinal) ? "hd0,gpt2" : line)}'",
            Assert.Throws<InstallException>(() => SlotFiles.TranslateBoot(boot, SlotChoice.Efi, [(a, b), (a, b)])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_menu_of_GRUB_names_the_slots_own_root_and_one_by_UUID_is_refused()
    {
        using var boot = new RootedFolder(_root.File("boot/EFI/debian/grub.cfg",
            "menuentry x {\n linux /vmlinuz root=PARTLABEL=root_a quiet\n initrd /initrd\n}\n").Folder + "/boot");
        (PartitionNames, PartitionNames)[] pairs =
            [(new(1, "u1", "esp_a"), new(2, "u2", "esp_b")), (new(3, "u3", "root_a"), new(4, "u4", "root_b"))];
        Assert.Equal(["/EFI/debian/grub.cfg"], SlotFiles.TranslateBoot(boot, SlotChoice.Efi, pairs));
        Assert.Equal("menuentry x {\n linux /vmlinuz root=PARTLABEL=root_b quiet  panic=10\n initrd /initrd\n}\n",
            boot.ReadText("/EFI/debian/grub.cfg"));

        _root.File("boot/EFI/debian/grub.cfg", " linux /vmlinuz root=UUID=1234 panic=5\n");
        Assert.Contains("root=UUID=1234",
            Assert.Throws<InstallException>(() => SlotFiles.TranslateBoot(boot, SlotChoice.Efi, pairs)).Message);
        _root.File("boot/EFI/debian/grub.cfg", "configfile /boot/grub/grub.cfg\n");
        Assert.Contains("nothing on the image's boot partition",
            Assert.Throws<InstallException>(() => SlotFiles.TranslateBoot(boot, SlotChoice.Efi, pairs)).Message);
    }

    [Fact]
    public void A_trial_that_ended_well_leaves_nothing_of_itself()
    {
        string system = Directory.CreateDirectory(Path.Combine(Root, "system")).FullName,
            boot = Directory.CreateDirectory(Path.Combine(Root, "boot")).FullName;
        string menu = Path.Combine(Directory.CreateDirectory(Path.Combine(boot, "grub")).FullName, "grub.cfg");
        File.WriteAllText(menu, " linux /one root=PARTLABEL=root_b\n linux /two root=PARTLABEL=root_b panic=10\n");
        PartitionNames a = new(1, "", "root_a"), b = new(2, "", "root_b");
        using RootedFolder root = new(system), files = new(boot);
        SlotTrial.Arm(root, SlotFiles.TranslateBoot(files, SlotChoice.Efi, [(a, b), (a, b)]));
        Assert.Contains("/one root=PARTLABEL=root_b  panic=10\n", File.ReadAllText(menu), StringComparison.Ordinal);
        string config = Path.Combine(system, "etc/bootstrap");
        Assert.True(SlotTrial.IsOn(config));
        Assert.Equal(5, Directory.EnumerateFiles(system, "*", SearchOption.AllDirectories).Count());
        SlotTrial.End(system, boot);
        SlotTrial.End(system, boot);
        Assert.False(SlotTrial.IsOn(config));
        Assert.Empty(Directory.EnumerateFiles(system, "*", SearchOption.AllDirectories));
        // As long as before, and the image's own restart stays.
        Assert.Equal(" linux /one root=PARTLABEL=root_b          \n linux /two root=PARTLABEL=root_b panic=10\n", File.ReadAllText(menu));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_system_on_trial_goes_back_unless_it_meets_its_appliance_within_ten_minutes(bool meets)
    {
        var power = new RestartOnly();
        var log = new List<string>();
        // Long waits are over at once.
        var watch = new TrialWatch(power, log.Add, meets ? TimeProvider.System : new ShortTime());
        Task running = watch.RunAsync(TestContext.Current.CancellationToken);
        if (meets)
        {
            watch.Met();
        }
        await running;
        Assert.Equal(meets ? null : StagedStart.Restart, power.Restarted);
        Assert.Equal(meets ? 0 : 1, log.Count);
    }

    private SlotLayout PcLayout(ImageSlot running, int other) => new(SlotChoice.Efi,
        [.. TwoSlotDisk.GptPartitions.Select(p => new SlotPartition(p.Key, $"/dev/sda{p.Key}", p.Value.Start << 20, p.Value.Length << 20,
            new PartitionNames(p.Key, $"0fc63daf-8483-4772-8e79-3d69d8477de{p.Key}", "")))], 0, running, other);

    /// <summary>A disk of which only the table is read.</summary>
    private sealed class HeadOf(string image) : ISlotMachine
    {
        public byte[] ReadHead(string disk)
        {
            using FileStream file = File.OpenRead(image);
            byte[] head = new byte[DiskHead.Bytes];
            file.ReadExactly(head);
            return head;
        }

        public IBlockDevice Open(SlotPartition partition) => throw new NotSupportedException();

        public IMounted Mount(SlotPartition partition, string type, bool readOnly) => throw new NotSupportedException();

        public IMounted MountRunningRoot() => throw new NotSupportedException();
    }

    /// <summary>A disk of which one partition is mounted read-only.</summary>
    private sealed class ReadOnlyPartition(LoopSlots slots, int number) : ISlotMachine
    {
        public byte[] ReadHead(string disk) => slots.ReadHead(disk);

        public IBlockDevice Open(SlotPartition partition) => slots.Open(partition);

        public IMounted Mount(SlotPartition partition, string type, bool readOnly) =>
            readOnly || partition.Number != number ? slots.Mount(partition, type, readOnly)
            : throw new IOException($"{partition.Device} is mounted read-only");

        public IMounted MountRunningRoot() => slots.MountRunningRoot();
    }

    internal sealed class RestartOnly : ISystemPower
    {
        public StagedStart? Restarted { get; private set; }

        public void Restart(StagedStart start) => Restarted = start;

        public void PowerOff() => throw new NotSupportedException();
    }

    private sealed class ShortTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Assert.Equal(TrialWatch.Limit, dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
