using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Init;

/// <summary>What NetInst does once it is enrolled: reports in, and obeys. One loop owns all of its state.</summary>
/// <param name="authority">The appliance's CA.</param>
/// <param name="link">The connection.</param>
/// <param name="install">Runs installations.</param>
/// <param name="blinker">Shows a person which board this is.</param>
/// <param name="dryRun">Installations check all and write nothing.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times the farewell.</param>
internal sealed class Session(
    X509Certificate2 authority, NodeLink link, InstallRunner install, LedBlinker blinker, bool dryRun, Action<string> log,
    TimeProvider clock)
{
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(5);

    private readonly Channel<(LinkMessage, ApplianceEndpoint)> _inbox = Channel.CreateUnbounded<(LinkMessage, ApplianceEndpoint)>();

    // Where the appliance is and where its files are: told by every welcome.
    private (ApplianceEndpoint Link, Uri Files) _appliance;
    private (Guid Id, InstallOrder Order, Task<InstallResult> Running, CancellationTokenSource Stop)? _task;

    /// <summary>The task in progress; lines of the log belong to it.</summary>
    public Guid? CurrentTask => _task?.Id;

    /// <summary>Runs until the board is to restart or to be switched off; the appliance has been told by then.</summary>
    public async Task<PowerAction> RunAsync(CancellationToken cancellation)
    {
        using var blinking = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task blinked = blinker.RunAsync(link.Outbox.Add, blinking.Token);
        Task linked = link.RunAsync((message, appliance) => _inbox.Writer.TryWrite((message, appliance)), cancellation);
        Task<(LinkMessage, ApplianceEndpoint)> next = _inbox.Reader.ReadAsync(cancellation).AsTask();
        PowerAction? end = null;
        while (end is null)
        {
            Task first = await Task.WhenAny([next, linked, .. _task is { } t ? [t.Running] : Array.Empty<Task>()]).ConfigureAwait(false);
            if (first == next)
            {
                (LinkMessage message, ApplianceEndpoint sender) = await next.ConfigureAwait(false);
                next = _inbox.Reader.ReadAsync(cancellation).AsTask();
                end = Obey(message, sender, cancellation);
            }
            else if (first == linked)
            {
                await linked.ConfigureAwait(false);
            }
            else
            {
                end = await EndTaskAsync().ConfigureAwait(false);
            }
        }
        link.Outbox.Add(new Goodbye(end == PowerAction.Reboot ? "reboot" : "shutdown"));
        await linked.WaitAsync(s_farewell, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await blinking.CancelAsync().ConfigureAwait(false);
        await blinked.ConfigureAwait(false);
        return end.Value;
    }

    private PowerAction? Obey(LinkMessage message, ApplianceEndpoint sender, CancellationToken cancellation)
    {
        switch (message)
        {
            case Welcome welcome:
                Greet(welcome, sender);
                return null;
            case Locate locate:
                blinker.Ask(locate);
                return null;
            case Wait wait:
                log($"waiting: {wait.Reason}");
                return null;
            case StartTask { TaskId: var id, Order: InstallOrder order }:
                Start(id, order, cancellation);
                return null;
            case StartTask { TaskId: var id, Order: RebootOrder or ShutdownOrder } power:
                if (_task is not null)
                {
                    link.Outbox.Add(new TaskEnded(
                        id, false, false, "an installation is running on this board; cancel it first", DiskState.Unbootable));
                    return null;
                }
                link.Outbox.Add(new TaskAccepted(id));
                log(power.Order is RebootOrder ? "told to restart" : "told to power off");
                return power.Order is RebootOrder ? PowerAction.Reboot : PowerAction.PowerOff;
            case StartTask { TaskId: var id, Order: var other }:
                link.Outbox.Add(new TaskEnded(id, false, false, $"NetInst cannot {other.Words()}", DiskState.Untouched));
                return null;
            case CancelTask { TaskId: var id } when _task is { } task && task.Id == id:
                log("told to cancel the installation");
                task.Stop.Cancel();
                return null;
            case CancelTask { TaskId: var id }:
                link.Outbox.Add(new TaskEnded(id, false, true, "it is not running on this board", DiskState.Untouched));
                return null;
            default:
                return null;
        }
    }

    private void Greet(Welcome welcome, ApplianceEndpoint sender)
    {
        _appliance = (sender, (sender with { Port = welcome.HttpPort }).Url("http", "/"));
        DateTimeOffset theirs = DateTimeOffset.FromUnixTimeSeconds(welcome.UnixTimeSeconds);
        // A Pi's clock starts in 1970, or where it was when the power went: before our CA was made it cannot be.
        if (clock.GetUtcNow() < authority.NotBefore && theirs > authority.NotBefore)
        {
            SystemClock.Set(theirs);
            log($"clock set to {theirs:u} by the appliance");
        }
        log($"this board is '{welcome.Name}'");
    }

    private void Start(Guid id, InstallOrder order, CancellationToken cancellation)
    {
        if (_task is { } running && running.Id != id)
        {
            link.Outbox.Add(new TaskEnded(id, false, false, $"the board is busy with task {running.Id}", DiskState.Untouched));
            return;
        }
        link.Outbox.Add(new TaskAccepted(id));
        if (_task is null)
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            // Begun elsewhere: this loop goes on listening for a cancellation.
            _task = (id, order, Task.Run(() => install.RunAsync(id, order, () => _appliance, dryRun, stop.Token), CancellationToken.None),
                stop);
            log($"task {id}: install image {order.Image}");
        }
    }

    private async Task<PowerAction?> EndTaskAsync()
    {
        (Guid id, InstallOrder order, Task<InstallResult> running, CancellationTokenSource stop) = _task!.Value;
        InstallResult result = await running.ConfigureAwait(false);
        stop.Dispose();
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        log(result.Succeeded ? $"installed: the image is complete and was read back ({self.PeakWorkingSet64 >> 20} MiB of memory at most)"
            : result.Cancelled ? $"the installation was cancelled; the disk is {result.Disk}"
            : $"INSTALLATION FAILED: {result.Cause} (the disk is {result.Disk})");
        if (result.Succeeded)
        {
            link.Outbox.Add(new TaskProgress(id, TaskPhase.Rebooting, 0, 0, ""));
        }
        link.Outbox.Add(new TaskEnded(id, result.Succeeded, result.Cancelled, result.Cause, result.Disk, result.Final));
        _task = null;
        // An update that came to nothing leaves the node to its own system.
        return result.Succeeded || (order.Keep is not null && result.Disk == DiskState.Untouched) ? PowerAction.Reboot : null;
    }
}
