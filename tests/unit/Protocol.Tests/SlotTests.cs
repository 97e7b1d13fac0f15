using Bootstrap.Protocol.Images;

namespace Bootstrap.Protocol.Tests;

/// <summary>What images with two slots are known by, and what their partitions are called.</summary>
public sealed class SlotTests
{
    [Fact]
    public void Autoboot_txt_is_read_and_rewritten_with_all_else_as_it_was()
    {
        const string text = "# two systems\r\n[all]\r\n tryboot_a_b = 1\r\nboot_partition=2 " +
            "\r\n\r\n[tryboot]\r\nboot_partition=3\r\n[none]\r\nboot_partition=7";
        Assert.Equal(new Autoboot(2, 3), Autoboot.Parse(text));
        string swapped = new Autoboot(3, 2).Into(text);
        Assert.Equal(new Autoboot(3, 2), Autoboot.Parse(swapped));
        Assert.Equal(text, new Autoboot(2, 3).Into(swapped));
        Assert.Equal(text.Length, swapped.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("boot_partition=2\n[tryboot]\nboot_partition=3\n")]
    [InlineData("tryboot_a_b=0\nboot_partition=2\n[tryboot]\nboot_partition=3\n")]
    [InlineData("tryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=2\n")]
    [InlineData("tryboot_a_b=1\nboot_partition=two\n[tryboot]\nboot_partition=3\n")]
    [InlineData("[tryboot]\ntryboot_a_b=1\nboot_partition=2\n")]
    public void An_autoboot_txt_that_does_not_choose_between_two_partitions_is_none(string text) => Assert.Null(Autoboot.Parse(text));

    [Theory]
    [InlineData("root=PARTUUID=1a2b3c4d-05 rw", "root=PARTUUID=1a2b3c4d-06 rw")]
    [InlineData("root=partuuid=1a2b3c4d-05", "root=partuuid=1a2b3c4d-05")]
    [InlineData("root=PARTUUID=1A2B3C4D-05\n", "root=PARTUUID=1a2b3c4d-06\n")]
    [InlineData("root=PARTUUID=1a2b3c4d-050", "root=PARTUUID=1a2b3c4d-050")]
    [InlineData("root=\"PARTLABEL=root_a\"", "root=\"PARTLABEL=root_b\"")]
    [InlineData("/dev/mmcblk0p5\t/ ext4", "/dev/mmcblk0p6\t/ ext4")]
    [InlineData("root=/dev/sda5 /dev/sda55 /dev/mmcblk05", "root=/dev/sda6 /dev/sda55 /dev/mmcblk05")]
    [InlineData("/dev/nvme0n1p5 /dev/vdb5 /dev/ttyS5 /dev/disk/by-partuuid/1a2b3c4d-05",
        "/dev/nvme0n1p6 /dev/vdb6 /dev/ttyS5 /dev/disk/by-partuuid/1a2b3c4d-06")]
    [InlineData("/dev/disk/by-partlabel/root_a /boot/firmware", "/dev/disk/by-partlabel/root_b /boot/firmware")]
    [InlineData("UUID=1a2b3c4d-05 LABEL=root_a", "UUID=1a2b3c4d-05 LABEL=root_a")]
    public void Names_of_one_partition_become_those_of_another(string text, string expected) =>
        Assert.Equal(expected,
        PartitionNames.Rename(text, [(new PartitionNames(2, "1a2b3c4d-02", ""), new PartitionNames(3, "1a2b3c4d-03", "")),
            (new PartitionNames(5, "1a2b3c4d-05", "root_a"), new PartitionNames(6, "1a2b3c4d-06", "root_b"))]));

    [Fact]
    public void Partitions_change_places_in_one_go()
    {
        PartitionNames two = new(2, "x-02", ""), three = new(3, "x-03", "");
        Assert.Equal("PARTUUID=x-03 PARTUUID=x-02", PartitionNames.Rename("PARTUUID=x-02 PARTUUID=x-03", [(two, three), (three, two)]));
    }

    [Fact]
    public void The_root_of_a_command_line_is_the_last_one_that_it_names() =>
        Assert.Equal("PARTUUID=2", PartitionNames.RootOf("quiet root=PARTUUID=1 notroot=3 root=PARTUUID=2\n"));

    [Theory]
    [InlineData(null, 2, 5, 3, 6)]
    [InlineData("share a partition", 2, 5, 2, 6)]
    [InlineData("is not there", 2, 5, 3, 7)]
    [InlineData("second slot is smaller", 3, 6, 2, 5)]
    public void A_manifest_whose_slots_do_not_fit_together_is_faulty(string? fault, int boot, int root, int otherBoot, int otherRoot)
    {
        ImagePartition[] partitions =
            [new(2, 0, 10, "", "", ""), new(3, 10, 11, "", "", ""), new(5, 30, 20, "", "", ""), new(6, 60, 20, "", "", "")];
        string? found = new ImageManifest(1, "two", "arm64", 512, 4096, partitions, [], [new(boot, root), new(otherBoot, otherRoot)])
            .FindFault();
        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? "", found ?? "");
    }
}
