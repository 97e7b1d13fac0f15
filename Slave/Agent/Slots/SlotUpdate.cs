using Bootstrap.Installer;
using Bootstrap.Link;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Slots;

/// <summary>
/// Writes an image to the slot that is not in use, while the system in the other one runs, and makes it this node's own. Nothing is written
/// before all was checked, and then to the two partitions of that slot alone. Done again after an interruption it comes to the same end.
/// </summary>
/// <param name="taskId">Names the task and, in the new system, the installation.</param>
/// <param name="order">What to write.</param>
/// <param name="store">Where manifest, chunks and programs come from; the caller's.</param>
/// <param name="trust">Whose image is accepted, and the node's own identity.</param>
/// <param name="architecture">What this board runs.</param>
/// <param name="layout">The running disk.</param>
/// <param name="machine">Opens and mounts its partitions.</param>
/// <param name="firmware">Is asked whether it could start the slot.</param>
/// <param name="progress">Told of progress.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times progress.</param>
internal sealed partial class SlotUpdate(
    Guid taskId, UpdateSlotOrder order, StoreClient store, InstallTrust trust, string architecture, SlotLayout layout, ISlotMachine machine,
    ISlotSwitch firmware,
    Action<TaskProgress> progress, Action<string> log, TimeProvider clock) : IDisposable
{
    private const string Kept = "the running system is untouched, and starts as before";

    private readonly ImageFiles _files = new(store);
    private readonly ProgressGate _progress = new(taskId, progress, clock);
    private DiskState _disk = DiskState.Untouched;

    // What the checking steps find for the later ones.
    private ImageManifest? _manifest;
    private Target? _target;
    private byte[]? _slaveProgram;

    /// <summary>The slot that is written, and what the image writes there: its first slot.</summary>
    /// <param name="Boot">Written from the image's first boot partition.</param>
    /// <param name="Root">Written from the image's first root partition.</param>
    private sealed record Target(TargetPartition Boot, TargetPartition Root)
    {
        public IReadOnlyList<(PartitionNames From, PartitionNames To)> Pairs =>
            [(Boot.ImageNames, Boot.Partition.Names), (Root.ImageNames, Root.Partition.Names)];
    }

    private sealed record TargetPartition(ImagePartition Image, PartitionNames ImageNames, SlotPartition Partition);

    /// <summary>The steps, in order.</summary>
    private IReadOnlyList<InstallStep> Steps =>
    [
        new(TaskPhase.Checking, "fetch the image's manifest and verify its signature", false, FetchManifestAsync),
        new(TaskPhase.Checking, "see that the image's slots are the disk's, and that the other one can be started", false, ChooseSlotAsync),
        new(TaskPhase.Checking, "fetch the Slave program and verify it", false, FetchSlaveAsync),
        new(TaskPhase.Checking, "see that what is kept has room", false, MeasureAsync),
        new(TaskPhase.Writing, "make the other slot unusable until all is done", true, InvalidateAsync),
        new(TaskPhase.Writing, "write the image to the other slot", true, WriteAsync),
        new(TaskPhase.Verifying, "read back what was written", true, VerifyAsync),
        new(TaskPhase.Configuring, "configure the system of the other slot", true, ConfigureAsync),
    ];

    /// <summary>Runs the steps. Failures are results, not exceptions.</summary>
    public async Task<InstallResult> RunAsync(CancellationToken cancellation)
    {
        try
        {
            foreach (InstallStep step in Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                log($"{step.Phase}: {step.Text}");
                _progress.Begin(step.Phase);
                await step.RunAsync(cancellation).ConfigureAwait(false);
            }
            return new InstallResult(true, false, "", _disk, false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return new InstallResult(false, true, "cancelled", _disk, false);
        }
        catch (InstallException e)
        {
            return Failure(e.Message, e.Final);
        }
        catch (FetchException e)
        {
            return Failure(e.Message, final: !e.MayPass);
        }
        catch (IOException e)
        {
            return Failure(e.Message, final: false);
        }
    }

    public void Dispose()
    {
        _deviceThreads.Dispose();
        CloseDevices();
        _pool?.Dispose();
    }

    private InstallResult Failure(string cause, bool final) => new(false, false, $"{cause.TrimEnd('.')}; {Kept}", _disk, false, final);

    private ImageManifest Manifest => _manifest ?? throw new InvalidOperationException("the manifest is not checked yet");

    private Target Chosen => _target ?? throw new InvalidOperationException("the slot is not chosen yet");

    private async Task FetchManifestAsync(CancellationToken cancellation)
    {
        _manifest = await _files.FetchManifestAsync(order.Image, trust.Authority, cancellation).ConfigureAwait(false);
        if (_manifest.Architecture != architecture)
        {
            throw new InstallException($"image '{_manifest.Name}' is for {_manifest.Architecture}, this board is {architecture}");
        }
    }

    private async Task ChooseSlotAsync(CancellationToken cancellation)
    {
        firmware.Check();
        if (layout.OtherOf(Manifest) is not { } other)
        {
            throw new InstallException(
                $"the slots of image '{Manifest.Name}' are not those of this disk (here the running one has partitions " +
                $"{layout.Running.Boot} and {layout.Running.Root}): " +
                "update the whole disk");
        }
        _pool = new SlotPool(Manifest, ChunksInFlight);
        byte[] head = await ReadImageHeadAsync(cancellation).ConfigureAwait(false);
        ImageSlot source = Manifest.Slots![0];
        if (Manifest.Partition(source.Root).FileSystem != "ext4" || Manifest.Partition(source.Boot).FileSystem != "vfat")
        {
            throw new InstallException($"image '{Manifest.Name}' is refused: its first slot has no ext4 root or no FAT boot partition");
        }
        _target = new Target(Choose(source.Boot, other.Boot, head), Choose(source.Root, other.Root, head));
        if (layout.Choice == SlotChoice.Autoboot)
        {
            RequireSamePlaces(other);
        }
        log($"image '{Manifest.Name}' goes to {_target.Boot.Partition.Device} and {_target.Root.Partition.Device}");
    }

    /// <summary>A Pi's other root is known by its number in the image alone: what has that number here may hold people's data, unless it is
    /// the same part of the disk.</summary>
    private void RequireSamePlaces(ImageSlot other)
    {
        long last = layout.Partitions.Max(p => p.Start);
        foreach (int number in new[] { layout.Running.Boot, layout.Running.Root, other.Boot, other.Root })
        {
            ImagePartition image = Manifest.Partition(number);
            // The last one may have been made longer to fill the disk.
            bool isSame = number != layout.Chooser && layout.Find(number) is { } here && here.Start == image.Start &&
                (here.Length == image.Length || here.Start == last && here.Length > image.Length);
            if (!isSame)
            {
                throw new InstallException(
                    $"partition {number} of this disk is not the one that image '{Manifest.Name}' has by that number (its start or its " +
                    $"length is another): update the whole disk");
            }
        }
    }

    private TargetPartition Choose(int from, int to, byte[] head)
    {
        ImagePartition image = Manifest.Partition(from);
        SlotPartition partition = layout.Find(to) ??
            throw new InstallException($"this disk has no partition {to}, which image '{Manifest.Name}' has: update the whole disk");
        return partition.Length >= image.Length
            ? new TargetPartition(image, DiskHead.NamesOf(head, from), partition)
            : throw new InstallException(
            $"{partition.Device} has {partition.Length} bytes, and " +
            $"image '{Manifest.Name}' needs {image.Length} there: update the whole disk");
    }

    /// <summary>The image's partition table, by which its command lines name partitions.</summary>
    private async Task<byte[]> ReadImageHeadAsync(CancellationToken cancellation)
    {
        using SlotPool.Lease lease = _pool!.Take();
        await _files.FetchChunkAsync(Manifest.Chunks[0], lease, cancellation).ConfigureAwait(false);
        return lease.Payload.Span[..Math.Min(DiskHead.Bytes, Manifest.Chunks[0].Ranges[0].Length)].ToArray();
    }

    private async Task FetchSlaveAsync(CancellationToken cancellation) =>
        _slaveProgram = await _files.FetchSlaveAsync(order.Configuration.Slave, cancellation).ConfigureAwait(false);
}
