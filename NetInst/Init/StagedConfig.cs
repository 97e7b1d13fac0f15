using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Init;

/// <summary>
/// Undoes what the Slave did to make the board start NetInst once: puts the boot partition's own config.txt back. Only done where
/// the Slave left word; a board that was started otherwise has its disks left alone.
/// </summary>
internal sealed class StagedConfig(BoardReader board, Action<string> log, TimeProvider clock)
{
    private const string MountPoint = "/mnt";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromMilliseconds(200);

    /// <summary>Looks through the partitions, for as long as disks may still turn up.</summary>
    public async Task RestoreAsync(CancellationToken cancellation)
    {
        if (!File.Exists(Path.Combine(NodeFiles.Directory, NodeFiles.ConfigSwapped)))
        {
            return;
        }
        long started = clock.GetTimestamp();
        while (!board.ReadDisks().SelectMany(disk => DiskIdentity.PartitionsOf(disk.Name)).Any(RestoreOn))
        {
            if (clock.GetElapsedTime(started) > s_patience)
            {
                log($"no partition holds {StagedBoot.OriginalConfig}: the board may start the installer once more after this");
                return;
            }
            await Task.Delay(s_lookPeriod, clock, cancellation).ConfigureAwait(false);
        }
    }

    /// <returns>True if this was the partition.</returns>
    private bool RestoreOn(string partition)
    {
        // Whatever is no FAT file system is refused by the kernel without being touched.
        if (Linux.Mount($"/dev/{partition}", MountPoint, "vfat", Linux.MountNoATime, null) < 0)
        {
            return false;
        }
        try
        {
            string original = Path.Combine(MountPoint, StagedBoot.OriginalConfig);
            if (!File.Exists(original))
            {
                return false;
            }
            File.Move(original, Path.Combine(MountPoint, StagedBoot.Config), overwrite: true);
            log($"put {StagedBoot.Config} back on {partition}");
            return true;
        }
        catch (IOException e)
        {
            log($"cannot put {StagedBoot.Config} back on {partition}: {e.Message}");
            return false;
        }
        finally
        {
            Linux.Sync();
            Linux.Unmount(MountPoint, $"unmounting {partition}");
        }
    }
}
