namespace Bootstrap.Installer;

/// <summary>Making the written system this node's own.</summary>
public sealed partial class Installation
{
    private async Task ConfigureAsync(CancellationToken cancellation)
    {
        long? grown = GrownRootLength();
        await _deviceThread.RunAsync(() =>
        {
            using IMountedRoot root = machine.MountRoot(Device, Root.Number, Root.Start, grown ?? Root.Length);
            if (grown is { } length)
            {
                log($"the root file system has grown from {Root.Length} to {root.Grow(length)} bytes");
            }
            using var folder = new RootedFolder(root.Path);
            SystemConfiguration.Apply(folder, taskId, order.Configuration, trust, _slaveProgram!);
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Length to which the root partition can grow, in bytes; null where it stays as it is: it fills the disk, is not the last
    /// one, or is no primary entry of an MBR.
    /// </summary>
    private long? GrownRootLength()
    {
        ReadOnlySpan<byte> sector = _head!.Span[..Mbr.SectorBytes];
        if (!Mbr.IsMbr(sector) || Root.Number is < 1 or > 4 || Mbr.Type(sector, 1) == Mbr.ProtectiveType ||
            Manifest.Partitions.Any(p => p.Start > Root.Start))
        {
            return null;
        }
        long length = Mbr.LengthToEnd(Root.Start, Device.Size);
        return length > Root.Length ? length : null;
    }
}
