
using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer.Tests;

public sealed class MbrTests
{
    private const long Mebi = 1 << 20;

    [Theory]
    [InlineData(4 * Mebi, 64 * Mebi, 60 * Mebi)]
    [InlineData(4 * Mebi, 64 * Mebi + 1023, 60 * Mebi)] // the end is kept on whole MiB
    [InlineData(4 * Mebi, 4 * Mebi, 0)]
    [InlineData(8 * Mebi, 4 * Mebi, 0)]
    [InlineData(4 * Mebi, 8L << 40, (2L << 40) - Mebi)] // a 32-bit count of sectors ends at 2 TiB
    public void A_partition_reaches_to_the_end_of_the_disk(long start, long disk, long length) =>
        Assert.Equal(length, Mbr.LengthToEnd(start, disk));

    [Fact]
    public void An_entry_gets_another_length_and_nothing_else_changes()
    {
        byte[] sector = [.. Enumerable.Range(0, 512).Select(i => (byte)i)];
        byte[] before = (byte[])sector.Clone();
        Mbr.SetLength(sector, 2, 0x04030201L * 512);
        Assert.Equal([1, 2, 3, 4], sector[474..478]);
        Assert.Equal(before[..474], sector[..474]);
        Assert.Equal(before[478..], sector[478..]);
    }

    [Fact]
    public void A_sector_without_the_signature_is_no_mbr() => Assert.False(Mbr.IsMbr(new byte[512]));
}
