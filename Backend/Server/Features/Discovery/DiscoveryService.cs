using Bootstrap.Protocol.Discovery;
using Bootstrap.Server.Features.Monitoring;
using Bootstrap.Server.Features.Trust;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Discovery;

/// <summary>Answers those who look for the appliance.</summary>
internal sealed class DiscoveryService(ApplianceOptions options, CertificateAuthority authority, NoiseCounter noise, TimeProvider clock) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string fingerprint = authority.Fingerprint.ToString();
        var backend = new Service(Service.Backend, new Dictionary<string, string>
        {
            ["link"] = options.Link.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["http"] = options.Http.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["ca"] = fingerprint,
        });
        var polo = new Polo($"appliance-{fingerprint[..8]}", options.Mesh, () => [backend], options.Interfaces, clock, () => noise.Count("discovery"));
        return polo.RunAsync(stoppingToken);
    }
}
