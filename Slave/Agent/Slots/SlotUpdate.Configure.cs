using System.IO.Pipes;
using System.Runtime.ExceptionServices;
using System.Text;
using Bootstrap.Board;
using Bootstrap.Installer;

namespace Bootstrap.Agent.Slots;

/// <content>Making the written system this node's own, with what people have on the running one.</content>
internal sealed partial class SlotUpdate
{
    private bool Keeps => order.Keep is { Count: > 0 };

    // What of the image's file systems fstab may name, read before the devices are closed.
    private readonly List<(string Word, int Pair)> _ids = [];

    private async Task MeasureAsync(CancellationToken cancellation)
    {
        if (!Keeps)
        {
            return;
        }
        await _deviceThreads.RunAsync(() =>
        {
            using IMounted running = machine.MountRunningRoot();
            using var root = new RootedFolder(running.Path);
            long bytes = new KeptFiles(root, order.Keep!, log).Measure(), room = Chosen.Root.Partition.Length - UsedBytes;
            if (bytes > room)
            {
                throw new InstallException(
                    $"{bytes} bytes are to be kept, and beside image '{Manifest.Name}' there is room for {Math.Max(0, room)} in the " +
                    $"other slot: keep less");
            }
        }).ConfigureAwait(false);
    }

    private long UsedBytes => Chunks.SelectMany(PiecesOf).Where(piece => piece.Partition == Chosen.Root).Sum(piece => (long)piece.Length);

    private async Task ConfigureAsync(CancellationToken cancellation)
    {
        FindIds();
        CloseDevices();
        IReadOnlyList<string> armed = [];
        await _deviceThreads.RunAsync(() =>
        {
            // At once: until then its command line may name the running system's root.
            using (IMounted mounted = machine.Mount(Chosen.Boot.Partition, "vfat", readOnly: false))
            {
                using var boot = new RootedFolder(mounted.Path);
                armed = SlotFiles.TranslateBoot(boot, layout.Choice, Chosen.Pairs);
            }
            using (IMounted mounted = machine.Mount(Chosen.Root.Partition, "ext4", readOnly: false))
            {
                using var root = new RootedFolder(mounted.Path);
                SystemConfiguration.Clear(root);
            }
        }).ConfigureAwait(false);
        if (Keeps)
        {
            await KeepAsync(cancellation).ConfigureAwait(false);
        }
        cancellation.ThrowIfCancellationRequested();
        await _deviceThreads.RunAsync(() =>
        {
            using (IMounted mounted = machine.Mount(Chosen.Root.Partition, "ext4", readOnly: false))
            {
                using var root = new RootedFolder(mounted.Path);
                SystemConfiguration.Apply(root, taskId, order.Configuration, trust, _slaveProgram!, log);
                SlotFiles.TranslateRoot(root, Chosen.Pairs, _ids);
                SlotTrial.Arm(root, armed);
            }
            Linux.Sync();
        }).ConfigureAwait(false);
    }

    /// <summary>UUID and label of an ext4 superblock (fs/ext4/ext4.h: s_uuid, s_volume_name), number and label of a FAT (FAT specification,
    /// BS_VolID, BS_VolLab).</summary>
    private void FindIds()
    {
        ReadOnlySpan<byte> super = _heads[Chosen.Root].Span[1024..], fat = _heads[Chosen.Boot].Span;
        Add("UUID=", new Guid(super.Slice(0x68, 16), bigEndian: true).ToString(), 1);
        Add("LABEL=", Text(super.Slice(0x78, 16)), 1);
        // FAT32 has a table length of 32 bits in the place of these.
        int at = fat[22] == 0 && fat[23] == 0 ? 67 : 39;
        Add("UUID=", $"{fat[at + 3]:X2}{fat[at + 2]:X2}-{fat[at + 1]:X2}{fat[at]:X2}", 0);
        Add("LABEL=", Text(fat.Slice(at + 4, 11)), 0);

        static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes).TrimEnd('\0', ' ');

        void Add(string kind, string id, int pair)
        {
            if (id.Length > 0)
            {
                _ids.Add((kind + id, pair));
            }
        }
    }

    /// <summary>From the running system into the new one, by a pipe.</summary>
    private async Task KeepAsync(CancellationToken cancellation)
    {
        using IMounted running = machine.MountRunningRoot();
        using IMounted mounted = machine.Mount(Chosen.Root.Partition, "ext4", readOnly: false);
        using var from = new RootedFolder(running.Path);
        using var to = new RootedFolder(mounted.Path);
        await using var output = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var input = new AnonymousPipeClientStream(PipeDirection.In, output.ClientSafePipeHandle);
        // Who fails leaves the other one with half a pipe: what he has met first is the cause, and not that.
        Exception? cause = null;
        bool Note(Exception e) => Interlocked.CompareExchange(ref cause, e, null) is null;
        Task packing = _deviceThreads.RunAsync(() =>
        {
            using (output)
            {
                try
                {
                    new KeptFiles(from, order.Keep!, log).Pack(output, _ => cancellation.ThrowIfCancellationRequested());
                }
                catch (Exception e) when (e is IOException or InstallException or OperationCanceledException && Note(e))
                {
                    throw;
                }
            }
        });
        Task unpacking = _deviceThreads.RunAsync(() =>
        {
            using (input)
            {
                try
                {
                    new KeptUnpacker(to, log).Unpack(input);
                    // What follows the archive's end: whoever writes it is not to find the pipe closed.
                    input.CopyTo(Stream.Null);
                }
                catch (Exception e) when (e is IOException or InstallException && Note(e))
                {
                    throw;
                }
            }
        });
        await Task.WhenAll(packing, unpacking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (cause is not null)
        {
            ExceptionDispatchInfo.Throw(cause);
        }
        await Task.WhenAll(packing, unpacking).ConfigureAwait(false);
        log("what is kept of the running system is in the new one");
    }
}
