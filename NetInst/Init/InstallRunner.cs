using System.Security.Cryptography.X509Certificates;
using Bootstrap.Installer;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Init;

/// <summary>Runs one installation to its end, with a few attempts where a fault may pass.</summary>
/// <param name="authority">The appliance's CA.</param>
/// <param name="identity">This node's identity, for the new system.</param>
/// <param name="machine">The board.</param>
/// <param name="outbox">Gets progress.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times attempts.</param>
public sealed class InstallRunner(
    X509Certificate2 authority, Func<NodeIdentity> identity, IInstallMachine machine, Outbox outbox, Action<string> log, TimeProvider clock)
{
    private const int Attempts = 4;

    private readonly ApplianceTls _tls = new(authority);

    /// <summary>True once a disk was written to since the board started: what is on it may be a part of the next image.</summary>
    private bool _disksBegun;

    /// <summary>Wait before attempt 2, 3, …: 5, 10, 20 s. Each fetch has already tried for a while by then.</summary>
    public static TimeSpan Pause(int attempt) => TimeSpan.FromSeconds(5 * (1 << (attempt - 1)));

    /// <summary>Installs; failures are results.</summary>
    /// <param name="appliance">Gives the link's place and that of manifests and chunks, anew for each attempt: the appliance may have
    /// moved.</param>
    public async Task<InstallResult> RunAsync(
        Guid taskId, InstallOrder order, Func<(ApplianceEndpoint Link, Uri Files)> appliance, bool dryRun, CancellationToken cancellation)
    {
        DiskState disk = DiskState.Untouched;
        for (int attempt = 1; ; attempt++)
        {
            (ApplianceEndpoint place, Uri files) = appliance();
            var trust = new InstallTrust(authority, identity().Pem, place);
            SocketsHttpHandler Handler() => _tls.CreateHandler(identity(), reason => log($"{place} is not our appliance: {reason}"));
            using StoreClient store = order.IsPublic ? new(files, log, clock) : new(place.Url("https", "/"), log, clock, Handler());
            using var kept = new KeptClient(Handler(), place.Url("https", "/"));
            using var installation = new Installation(
                taskId, order with { Compare = order.Compare || _disksBegun }, store, trust, machine, kept, outbox.Add, log, clock);
            InstallResult result = await installation.RunAsync(dryRun, cancellation).ConfigureAwait(false);
            // What an attempt before has begun, one that fails before its first write leaves as it is.
            disk = result.Disk == DiskState.Untouched ? disk : result.Disk;
            result = result with { Disk = disk };
            _disksBegun |= disk != DiskState.Untouched;
            if (result.Succeeded || result.Cancelled || !result.MayPass || attempt == Attempts)
            {
                return result;
            }
            log($"attempt {attempt} failed: {result.Cause}; trying again in {Pause(attempt).TotalSeconds:0} s");
            try
            {
                await Task.Delay(Pause(attempt), clock, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return result with { Cancelled = true, Cause = "cancelled" };
            }
        }
    }
}
