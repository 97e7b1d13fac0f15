using System.Text.Json.Serialization;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Agent.Slots;

/// <summary>By what the firmware chooses between two slots.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SlotChoice>))]
public enum SlotChoice
{
    /// <summary>A Raspberry Pi's autoboot.txt and its tryboot flag.</summary>
    [JsonStringEnumMemberName("autoboot")] Autoboot,

    /// <summary>UEFI's BootNext and BootOrder.</summary>
    [JsonStringEnumMemberName("efi")] Efi,
}

/// <summary>One partition of the running disk.</summary>
/// <param name="Device">"/dev/mmcblk0p3".</param>
/// <param name="Start">In bytes.</param>
/// <param name="Length">In bytes.</param>
public sealed record SlotPartition(int Number, string Device, long Start, long Length, PartitionNames Names);

/// <summary>What the daemon must know of the slots.</summary>
/// <param name="Slot">As the inventory has it.</param>
public sealed record SlotStatus(SlotChoice Choice, string Slot);

/// <summary>The disk that the running system is on, where it has two slots.</summary>
/// <param name="Partitions">All of the disk.</param>
/// <param name="Chooser">Number of the partition that holds autoboot.txt; 0 where there is none.</param>
/// <param name="Running">Where the running system is.</param>
/// <param name="OtherBoot">Number of the other slot's boot partition.</param>
/// <param name="OtherRoot">Number of its root, where partitions' names say it; null: it is known by the image that it gets.</param>
public sealed record SlotLayout(
    SlotChoice Choice, IReadOnlyList<SlotPartition> Partitions, int Chooser, ImageSlot Running, int OtherBoot, int? OtherRoot = null)
{
    public SlotStatus Status => new(Choice, Running.Boot < OtherBoot ? "a" : "b");

    /// <summary>A partition of the disk; null: there is none of that number.</summary>
    public SlotPartition? Find(int number) => Partitions.FirstOrDefault(p => p.Number == number);

    /// <summary>The slot of an image that lies where the running system is not; null where the image's slots are others than the
    /// disk's.</summary>
    public ImageSlot? OtherOf(ImageManifest image) =>
        image.Slots is { } slots && slots.Contains(Running)
        ? slots.FirstOrDefault(slot => slot.Boot == OtherBoot && slot.Root == (OtherRoot ?? slot.Root)) : null;
}
