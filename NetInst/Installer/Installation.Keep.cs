using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>What people have on the old system: on the appliance before the first write, on the new system before it is complete.</summary>
public sealed partial class Installation
{
    private bool Keeps => order.Keep is { Count: > 0 };

    /// <summary>
    /// What the appliance has was packed before the first write of this task, whatever has become of the power since: it is never packed
    /// again from a disk that may be half written.
    /// </summary>
    private async Task KeepAsync(CancellationToken cancellation)
    {
        KeptState state = await kept.StateAsync(taskId, cancellation).ConfigureAwait(false);
        if (state.Archive is { } earlier)
        {
            log($"the appliance has what is kept of the old system already ({earlier.Length} bytes)");
            _archive = earlier;
            return;
        }
        IMounted? old = null;
        RootedFolder? root = null;
        try
        {
            long bytes = 0;
            KeptFiles? files = null;
            await _deviceThreads.RunAsync(() =>
            {
                old = machine.MountOldRoot(Device);
                root = new RootedFolder(old.Path);
                files = new KeptFiles(root, order.Keep!, log);
                try
                {
                    bytes = files.Measure();
                }
                catch (IOException e)
                {
                    throw KeptClient.Unreadable(e);
                }
            }).ConfigureAwait(false);
            RefuseTooMuch(bytes);
            _progress.Begin(TaskPhase.Keeping, bytes);
            _archive = await kept.StoreAsync(taskId, state.RoomBytes,
                output => _deviceThreads.RunAsync(() => files!.Pack(output, done => ReportKept(done, cancellation))), cancellation)
                .ConfigureAwait(false);
            log($"{bytes} bytes of files are kept on the appliance ({_archive.Length} bytes packed)");
        }
        finally
        {
            await _deviceThreads.RunAsync(() =>
            {
                // Whatever happened: a file system of which a folder is open cannot be unmounted.
                root?.Dispose();
                old?.Dispose();
            }).ConfigureAwait(false);
        }
    }

    private void ReportKept(long done, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _progress.Add(done);
    }

    private void RefuseTooMuch(long bytes)
    {
        bool isLast = Manifest.Slots is null && !Manifest.Partitions.Any(p => p.Start > Root.Start);
        long room = isLast ? Device.Size - Root.Start : Root.Length;
        if (bytes > room - Manifest.UsedBytes)
        {
            throw new InstallException(
                $"{bytes} bytes are to be kept, and beside image '{Manifest.Name}' there is room for " +
                $"{Math.Max(0, room - Manifest.UsedBytes)}: keep less. Nothing was written");
        }
    }

    private async Task RestoreAsync(IMounted root, KeptArchive archive, CancellationToken cancellation)
    {
        await kept.FetchAsync(taskId, archive, input => _deviceThreads.RunAsync(() =>
        {
            using var folder = new RootedFolder(root.Path);
            new KeptUnpacker(folder, log).Unpack(input);
        }), cancellation).ConfigureAwait(false);
        log("what was kept of the old system is in the new one");
    }
}
