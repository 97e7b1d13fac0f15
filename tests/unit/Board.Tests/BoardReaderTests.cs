using Bootstrap.Protocol;

namespace Bootstrap.Board.Tests;

public sealed class BoardReaderTests : IDisposable
{
    private readonly FixtureRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_pi_is_named_by_its_serial_number()
    {
        _root.File("proc/device-tree/serial-number", "10000000ABCDEF01\0")
            .File("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
            .File("proc/device-tree/system/linux,revision", [0x00, 0xc0, 0x31, 0x14])
            .File("proc/meminfo", "MemTotal:        3884356 kB\nMemAvailable:    3000000 kB\n")
            .File("proc/sys/kernel/osrelease", "6.1.0-35-arm64\n")
            .File("etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
            .Interface("eth0", 2, "dc:a6:32:01:36:c2");

        Inventory inventory = _root.Reader("10.0.0.7").ReadInventory()!;

        Assert.Equal("10000000abcdef01", inventory.Id.ToString());
        Assert.Equal("Raspberry Pi 4 Model B Rev 1.4", inventory.Model);
        Assert.Equal("c03114", inventory.Revision);
        Assert.Equal(3884356L * 1024, inventory.MemoryBytes);
        Assert.Equal("Debian GNU/Linux 12 (bookworm)", inventory.System);
        NetworkInterfaceInfo eth0 = Assert.Single(inventory.Interfaces);
        Assert.Equal(["10.0.0.7"], eth0.Addresses);
        Assert.True(eth0.LinkUp);
    }

    [Fact]
    public void A_pc_is_named_by_its_product_uuid()
    {
        _root.File("sys/class/dmi/id/product_uuid", "4C4C4544-0044-4810-8031-B9C04F4D3333\n")
            .File("sys/class/dmi/id/sys_vendor", "QEMU\n").File("sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n")
            .Interface("eth0", 2, "52:54:00:12:34:56");
        Inventory inventory = _root.Reader().ReadInventory()!;
        Assert.Equal("4c4c4544-0044-4810-8031-b9c04f4d3333", inventory.Id.ToString());
        Assert.Equal("QEMU Standard PC (Q35 + ICH9, 2009)", inventory.Model);
    }

    [Theory]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("ffffffff-ffff-ffff-ffff-ffffffffffff")]
    [InlineData("not set")]
    public void A_board_whose_uuid_says_nothing_is_named_by_its_first_interface(string uuid)
    {
        _root.File("sys/class/dmi/id/product_uuid", uuid)
            .Interface("eth1", 2, "52:54:00:00:00:01").Interface("eth0", 3, "52:54:00:00:00:02")
            .File("sys/class/net/br0/address", "52:54:00:00:00:00").File("sys/class/net/br0/ifindex", "1");
        Assert.Equal("mac-525400000001", _root.Reader().ReadInventory()!.Id.ToString());
    }

    [Fact]
    public void A_board_with_nothing_to_be_named_by_has_no_inventory() => Assert.Null(_root.Reader().ReadInventory());

    [Fact]
    public void Disks_are_whole_media_and_nothing_else()
    {
        foreach (string name in (string[])["loop0", "ram0", "zram0", "sr0", "dm-0", "md0", "mmcblk0boot0", "mmcblk0rpmb", "nvme0c0n1"])
        {
            _root.File($"sys/block/{name}/size", "8192\n");
        }
        _root.File("sys/block/mmcblk0/size", "62333952\n").File("sys/block/mmcblk0/device/cid", "035344535333324780\n")
            .File("sys/block/mmcblk0/device/name", "SS32G\n").File("sys/block/mmcblk0/ro", "1\n")
            .File("sys/block/mmcblk1/size", "0\n") // a reader without a card
            .File("sys/block/nvme0n1/size", "1000\n").File("sys/block/nvme0n1/queue/logical_block_size", "4096\n")
            .File("sys/block/vda/size", "4194304\n").File("sys/block/vda/device/vendor", "0x1af4\n")
            .File("sys/devices/pci0/usb1/1-1/host0/block/sda/size", "100\n")
            .Link("sys/block/sda", "../devices/pci0/usb1/1-1/host0/block/sda")
            .File("sys/devices/pci0/ata1/host1/block/sdb/size", "100\n").Link("sys/block/sdb", "../devices/pci0/ata1/host1/block/sdb");

        IReadOnlyList<DiskInfo> disks = _root.Reader().ReadDisks();

        Assert.Equal(
            [("mmcblk0", "sd"), ("nvme0n1", "nvme"), ("sda", "usb"), ("sdb", "ata"), ("vda", "virtio")],
            disks.Select(d => (d.Name, d.Kind)));
        Assert.Equal(new DiskInfo("mmcblk0", 62333952L * 512, 512, "sd", "SS32G", "035344535333324780", false, true), disks[0]);
        Assert.Equal(4096, disks[1].BlockSize);
        Assert.Equal("", disks[4].Model);
    }

    [Fact]
    public void A_card_says_who_made_it_and_when()
    {
        _root.File("sys/block/mmcblk0/size", "15523840\n").File("sys/block/mmcblk0/device/cid", "035054535330384730daaee8ad00f9bb\n")
            .File("sys/block/mmcblk0/device/type", "SD\n").File("sys/block/mmcblk0/device/manfid", "0x000003\n")
            .File("sys/block/mmcblk0/device/name", "SS08G\n").File("sys/block/mmcblk0/device/date", "09/2015\n")
            .File("sys/block/mmcblk0/device/serial", "0xdaaee8ad\n")
            .File("sys/block/mmcblk1/size", "15523840\n").File("sys/block/mmcblk1/device/cid", "150100\n")
            .File("sys/block/mmcblk1/device/type", "MMC\n").File("sys/block/mmcblk1/device/manfid", "0x000015\n")
            .File("sys/block/mmcblk1/device/name", "BJTD4R\n").File("sys/block/mmcblk1/device/date", "03/2021\n")
            .File("sys/block/mmcblk1/device/serial", "0x12345678\n").File("sys/block/mmcblk1/device/life_time", "0x01 0x0b\n")
            .File("sys/block/mmcblk1/device/pre_eol_info", "0x02\n")
            .File("sys/block/mmcblk2/size", "100\n").File("sys/block/mmcblk2/device/cid", "ee\n")
            .File("sys/block/mmcblk2/device/manfid", "0x0000ee\n")
            .File("sys/block/mmcblk2/device/life_time", "0x00 0x00\n")
            .File("sys/block/vda/size", "100\n");
        Assert.Equal(
        [
            new CardInfo("SD", "SanDisk", "SS08G", "09/2015", "0xdaaee8ad"),
            new CardInfo("MMC", "Samsung", "BJTD4R", "03/2021", "0x12345678", 110, "warning"),
            new CardInfo("SD", "0xee", "", "", ""),
            null,
        ], _root.Reader().ReadDisks().Select(d => d.Card));
    }

    [Theory]
    [InlineData("1000\n", true, 1000)]
    [InlineData("-1\n", true, 0)] // the driver does not know
    [InlineData("1000\n", false, 0)] // without a link it means nothing
    public void The_speed_of_a_link_is_read_where_there_is_one(string speed, bool up, int read)
    {
        _root.Interface("eth0", 2, "dc:a6:32:01:36:c2").File("sys/class/net/eth0/speed", speed)
            .File("sys/class/net/eth0/operstate", up ? "up\n" : "down\n");
        Assert.Equal(read, Assert.Single(_root.Reader().ReadInterfaces()).SpeedMbit);
    }

    [Fact]
    public void An_EEPROM_is_known_by_its_day()
    {
        _root.Interface("eth0", 2, "dc:a6:32:01:36:c2").File("proc/device-tree/chosen/bootloader/build-timestamp", [0x67, 0x86, 0x56, 0x7d])
            .File("proc/device-tree/chosen/bootloader/version", "1a2b3c4d5e6f7a8b9c0d\0");
        Assert.Equal("2025-01-14 (1a2b3c4d)", _root.Reader().ReadInventory()!.Firmware);
    }

    [Fact]
    public void Health_is_read_where_there_are_sensors()
    {
        _root.File("proc/uptime", "12.34 20.00\n").File("proc/loadavg", "0.50 0.40 0.30 1/100 1234\n")
            .File("proc/meminfo", "MemAvailable:    1000 kB\n").File("sys/class/thermal/thermal_zone0/temp", "48312\n")
            .File("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
        Assert.Equal(new Health(12.34, 0.5, 1_024_000, 48.312, 0x50005), _root.Reader().ReadHealth());
    }

    [Fact]
    public void Health_without_sensors_has_none() =>
        Assert.Equal(new Health(0, 0, 0, null, null), _root.Reader().ReadHealth());

    [Fact]
    public void Files_of_the_real_sysfs_can_be_read()
    {
        // They claim to be longer than they are.
        string link = Directory.EnumerateDirectories("/sys/class/net").First(folder => File.Exists(Path.Combine(folder, "mtu")));
        Assert.True(new SysFile("/").Number(Path.Combine(link, "mtu")) > 0);
    }

    [Fact]
    public void Kernel_arguments_keep_words_that_stand_twice()
    {
        var arguments = KernelArguments.Parse("console=tty0 console=ttyAMA0,115200 bootstrap.dry-run bootstrap.mesh=a bootstrap.mesh=b\n");
        Assert.Equal(["console=tty0", "console=ttyAMA0,115200"], arguments.Words("console"));
        Assert.Equal("b", arguments.Value("bootstrap.mesh"));
        Assert.True(arguments.Has("bootstrap.dry-run"));
        Assert.False(arguments.Has("bootstrap"));
        Assert.Null(arguments.Value("ip"));
    }
}
