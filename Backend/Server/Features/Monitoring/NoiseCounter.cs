using System.Collections.Concurrent;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Monitoring;

/// <summary>Counts what came from the network and made no sense. It was dropped; that it came may be worth a look.</summary>
public sealed class NoiseCounter
{
    private readonly ConcurrentDictionary<string, long> _counts = new();

    /// <summary>One more.</summary>
    /// <param name="protocol">A fixed word of ours, never the network's: "DHCP", "TFTP", "discovery", "link" or "enrolment".</param>
    public void Count(string protocol) => _counts.AddOrUpdate(protocol, 1, (_, count) => count + 1);

    /// <summary>How often, by protocol; since the appliance was started.</summary>
    public IReadOnlyDictionary<string, long> Counts => new SortedDictionary<string, long>(_counts);
}

/// <summary><c>GET /status</c>: how the appliance itself is.</summary>
internal static class StatusEndpoint
{
    /// <param name="Disk">Where it is not good, nothing can be changed until it is again.</param>
    internal sealed record Status(string Version, IReadOnlyDictionary<string, long> Malformed, DiskCondition Disk);

    public static void MapStatus(this IEndpointRouteBuilder api)
    {
        string version = typeof(StatusEndpoint).Assembly.GetName().Version!.ToString(3);
        api.MapGet("/status", (NoiseCounter noise, DataDisk disk) => new Status(version, noise.Counts, disk.Condition));
    }
}
