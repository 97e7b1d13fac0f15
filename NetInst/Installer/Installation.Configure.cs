using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer;

/// <summary>Making the written system this node's own.</summary>
public sealed partial class Installation
{
    private async Task ConfigureAsync(CancellationToken cancellation)
    {
        long? grown = GrownRootLength();
        IMountedRoot? root = null;
        try
        {
            await _deviceThreads.RunAsync(() =>
            {
                root = machine.MountRoot(Device, Root.Number, Root.Start, grown ?? Root.Length);
                if (grown is { } length)
                {
                    log($"the root file system has {root.Grow(length)} bytes on this disk; in the image its partition had {Root.Length}");
                }
                using var folder = new RootedFolder(root.Path);
                SystemConfiguration.Clear(folder);
            }).ConfigureAwait(false);
            if (_archive is not null)
            {
                await RestoreAsync(root!, _archive, cancellation).ConfigureAwait(false);
            }
            await _deviceThreads.RunAsync(() =>
            {
                using var folder = new RootedFolder(root!.Path);
                SystemConfiguration.Apply(folder, taskId, order.Configuration, trust, _slaveProgram!, log);
            }).ConfigureAwait(false);
        }
        finally
        {
            await _deviceThreads.RunAsync(() => root?.Dispose()).ConfigureAwait(false);
        }
    }

    private Task ForgetSlotsAsync(CancellationToken cancellation) => _deviceThreads.RunAsync(machine.ForgetSlots);

    /// <summary>
    /// Length that the root partition gets to fill the disk, in bytes; null where it stays as it is: it fills the disk, is one of two
    /// slots, is not the last one, or is neither in a GPT nor a primary entry of an MBR. It may be less than in the image's table, which
    /// may promise more than the image has.
    /// </summary>
    private long? GrownRootLength()
    {
        if (Manifest.Slots is not null || Manifest.Partitions.Any(p => p.Start > Root.Start))
        {
            return null;
        }
        long length = HasGpt ? Gpt.LengthToEnd(_head!.Span, Root.Start, Device.Size)
            : Mbr.IsMbr(_head!.Span) && Root.Number is >= 1 and <= 4 ? Mbr.LengthToEnd(Root.Start, Device.Size)
            : 0;
        return length > 0 && (length > Root.Length || Root.Start + Root.Length > Device.Size) ? length : null;
    }

    /// <summary>Whether the image has a GPT, all of it in the first piece of the head.</summary>
    private bool HasGpt => Gpt.IsGpt(_head!.Span[..Manifest.Chunks[0].Ranges[0].Length]);
}
