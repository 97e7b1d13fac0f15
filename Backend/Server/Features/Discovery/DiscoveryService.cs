using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Legacy;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Discovery;

/// <summary>Answers those who look for the appliance, and watches which nodes are there.</summary>
internal sealed class DiscoveryService : BackgroundService
{
    /// <summary>Events are written as they come; when nodes were heard last, now and then.</summary>
    private static readonly TimeSpan s_savePeriod = TimeSpan.FromSeconds(60);

    private readonly Polo _polo;
    private readonly LegacyPolo _legacy;
    private readonly PresenceWatcher _watcher;
    private readonly PresenceStore _store;
    private readonly DataDisk _disk;
    private readonly TimeProvider _clock;
    private readonly X509Certificate2 _certificate;

    public DiscoveryService(
        ApplianceOptions options, CertificateAuthority authority, NodeKeys keys, NoiseCounter noise, PresenceStore store, DataDisk disk,
        EventHub events, TimeProvider clock)
    {
        (_store, _disk, _clock) = (store, disk, clock);
        string fingerprint = authority.Fingerprint.ToString(), id = $"{Protocol.Trust.ApplianceIdPrefix}{fingerprint[..8]}",
            host = Environment.MachineName;
        _certificate = authority.IssueDiscovery(id);
        var description = new NodeDescription(id, host, new Identity("appliance", "bootstrap", host), new Dictionary<string, string>(),
            [.. Services(options, fingerprint)]);
        var wires = new Wires(options.Interfaces, clock, () => noise.Count("discovery"));
        _watcher = new PresenceWatcher(options.Mesh, wires, new MessageVerifier(authority.Issued, keys.Stands), clock,
            lastSequence: store.LastSequence());
        _watcher.Restore(store.Load());
        _watcher.Happened += e =>
        {
            disk.Try(() => store.Save(_watcher.Records.Where(r => r.Node.Id == e.Id), [e]));
            events.Publish("presence", e);
        };
        wires.Add(_watcher);
        _legacy = new LegacyPolo(options.Answer2015 ? LegacyMessage.Groups : [], () => description, options.Interfaces, clock);
        wires.Add(_legacy);
        _polo = new Polo([options.Mesh], () => description, wires, clock, new MessageSigner(() => _certificate));
    }

    /// <summary>All nodes that are there or were.</summary>
    public IReadOnlyList<PresenceRecord> Nodes => _watcher.Records;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Supervisor.RunAsync(stoppingToken, new("discovery", _polo.RunAsync), new("discovery of 2015", _legacy.RunAsync),
            new("presence", _watcher.RunAsync), new("the record of presence", SaveAsync));
        Save();
    }

    private void Save() => _disk.Try(() => _store.Save(_watcher.Records, []));

    private static IEnumerable<Service> Services(ApplianceOptions options, string fingerprint)
    {
        string http = options.Http.Port.ToString(CultureInfo.InvariantCulture);
        yield return new Service(Service.Backend, new Dictionary<string, string>
        {
            ["link"] = options.Link.Port.ToString(CultureInfo.InvariantCulture),
            ["http"] = http,
            ["ca"] = fingerprint,
        });
        var boot = new Dictionary<string, string> { ["http"] = http };
        if (options.Tftp is { } tftp)
        {
            boot["tftp"] = tftp.Port.ToString(CultureInfo.InvariantCulture);
        }
        yield return new Service(Service.Boot, boot);
        yield return new Service(Service.Images, new Dictionary<string, string> { ["http"] = http });
    }

    private async Task SaveAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(s_savePeriod, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                Save();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Saved once more at the end.
        }
    }
}
