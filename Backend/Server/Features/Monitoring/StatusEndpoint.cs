using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Monitoring;

/// <summary><c>GET /status</c>: how the appliance itself is.</summary>
internal static class StatusEndpoint
{
    /// <param name="Disk">Where it is not good, nothing can be changed until it is again.</param>
    internal sealed record Status(string Version, IReadOnlyDictionary<string, long> Malformed, DiskCondition Disk);

    public static void Map(IEndpointRouteBuilder api)
    {
        string version = typeof(StatusEndpoint).Assembly.GetName().Version!.ToString(3);
        api.MapGet("/status", (NoiseCounter noise, DataDisk disk) => new Status(version, noise.Counts, disk.Condition));
    }
}
