using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>How an installation ended.</summary>
/// <param name="Cause">Failure in one sentence; empty on success.</param>
/// <param name="Disk">What state the disk is in.</param>
/// <param name="MayPass">Failed, but another attempt may go better.</param>
/// <param name="Final">Failed for what the appliance stores: no attempt goes better until that is mended.</param>
public sealed record InstallResult(bool Succeeded, bool Cancelled, string Cause, DiskState Disk, bool MayPass, bool Final = false);

/// <summary>What an installation writes into the new system beside the order's configuration.</summary>
/// <param name="Authority">The CA: it must have named the image's signer.</param>
/// <param name="IdentityPem">Content of <see cref="NodeFiles.Identity"/>.</param>
/// <param name="Appliance">Where the appliance was reached this time: behind address translation it does not know that itself.</param>
public sealed record InstallTrust(X509Certificate2 Authority, string IdentityPem, ApplianceEndpoint Appliance);

/// <summary>
/// One attempt to install an image: a list of steps, run from first to last. Nothing is written before all was checked. From the
/// first write on sector 0 is zero, and it is the last thing to be written: a disk that has a partition table is complete.
/// </summary>
/// <param name="taskId">Names the task in progress and, in the new system, the installation.</param>
/// <param name="order">What to install.</param>
/// <param name="store">Where manifest, chunks and programs come from; the caller's.</param>
/// <param name="trust">Whose image is accepted, and the node's own identity.</param>
/// <param name="machine">The board.</param>
/// <param name="kept">Where what is kept of the old system stays meanwhile; the caller's.</param>
/// <param name="progress">Told of progress.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times progress.</param>
public sealed partial class Installation(
    Guid taskId, InstallOrder order, StoreClient store, InstallTrust trust, IInstallMachine machine, KeptClient kept,
    Action<TaskProgress> progress, Action<string> log, TimeProvider clock) : IDisposable
{
    /// <summary>Chunks in flight: 4 × (4 MiB stored + 4 MiB decoded) leave a board of 256 MB room to live.</summary>
    private const int ChunksInFlight = 4;

    private readonly ImageFiles _files = new(store);
    private readonly ProgressGate _progress = new(taskId, progress, clock);
    private DiskState _disk = DiskState.Untouched;

    // What the checking steps find for the later ones.
    private ImageManifest? _manifest;
    private ImagePartition? _root;
    private byte[]? _slaveProgram;
    private IBlockDevice? _device;
    private KeptArchive? _archive;

    /// <summary>The steps, in order.</summary>
    public IReadOnlyList<InstallStep> Steps =>
    [
        new(TaskPhase.Checking, "fetch the image's manifest and verify its signature", false, FetchManifestAsync),
        new(TaskPhase.Checking, "choose the disk and see that the image fits", false, ChooseDiskAsync),
        new(TaskPhase.Checking, "fetch the Slave program and verify it", false, FetchSlaveAsync),
        .. Keeps ? [new InstallStep(TaskPhase.Keeping, "give the appliance what is kept of the old system", true, KeepAsync)]
        : Array.Empty<InstallStep>(),
        new(order.TestCard ? TaskPhase.Testing : TaskPhase.Writing, "make the disk unbootable until all is done", true, InvalidateAsync),
        .. order.TestCard ? [new InstallStep(TaskPhase.Testing, "write all of the disk and read it back", true, TestCardAsync)]
        : Array.Empty<InstallStep>(),
        new(TaskPhase.Writing, "write the image, all but its head", true, WriteImageAsync),
        new(TaskPhase.Verifying, "read back what was written", true, VerifyAsync),
        new(TaskPhase.Configuring, "grow the root file system and configure the system", true, ConfigureAsync),
        new(TaskPhase.Configuring, "have the firmware forget the slots of an older system", true, ForgetSlotsAsync),
        new(TaskPhase.Configuring, "write the image's head with the grown partition table", true, WriteHeadAsync),
    ];

    /// <summary>Runs the steps. Failures are results, not exceptions.</summary>
    /// <param name="dryRun">Run those steps that write nothing and only name the others.</param>
    public async Task<InstallResult> RunAsync(bool dryRun, CancellationToken cancellation)
    {
        try
        {
            foreach (InstallStep step in Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                if (dryRun && step.Writes)
                {
                    log($"dry run, left out: {step.Phase}: {step.Text}");
                    continue;
                }
                log($"{step.Phase}: {step.Text}");
                _progress.Begin(step.Phase);
                await step.RunAsync(cancellation).ConfigureAwait(false);
            }
            return dryRun
                ? Failure("this was a dry run: all was checked, nothing was written")
                : new InstallResult(true, false, "", _disk, false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return new InstallResult(false, true, "cancelled", _disk, false);
        }
        catch (InstallException e)
        {
            return Failure(e.Message, e.MayPass, e.Final);
        }
        catch (FetchException e)
        {
            return Failure(e.Message, e.MayPass, final: !e.MayPass);
        }
        catch (IOException e)
        {
            return Failure(e.Message);
        }
    }

    public void Dispose()
    {
        _deviceThreads.Dispose();
        _device?.Dispose();
        _slots?.Dispose();
        _head?.Dispose();
    }

    private InstallResult Failure(string cause, bool mayPass = false, bool final = false) =>
        new(false, false, cause, _disk, mayPass, final);

    private ImageManifest Manifest => _manifest ?? throw new InvalidOperationException("the manifest is not checked yet");

    private IBlockDevice Device => _device ?? throw new InvalidOperationException("the disk is not chosen yet");

    private ImagePartition Root => _root ?? throw new InvalidOperationException("the manifest is not checked yet");
}
