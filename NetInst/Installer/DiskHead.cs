using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer;

/// <summary>The first bytes of a disk or image, by which its partitions have their names.</summary>
public static class DiskHead
{
    /// <summary>All of a usual GPT, and more.</summary>
    public const int Bytes = 64 << 10;

    /// <summary>What a partition is called.</summary>
    /// <param name="head">As many bytes as there are, up to <see cref="Bytes"/>.</param>
    /// <param name="number">1 for the first one.</param>
    public static PartitionNames NamesOf(ReadOnlySpan<byte> head, int number) =>
        Gpt.IsGpt(head) ? Gpt.Describe(head, number).Names
        : new PartitionNames(number, Mbr.IsMbr(head) ? PartitionNames.MbrUuid(Mbr.Signature(head), number) : "", "");

    /// <summary>Whether a partition is one that UEFI firmware starts systems from.</summary>
    public static bool IsEfi(ReadOnlySpan<byte> head, int number)
    {
        var efiSystem = new Guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        return Gpt.IsGpt(head) && Gpt.Describe(head, number).Type == efiSystem;
    }
}
