using Bootstrap.Protocol.Discovery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Discovery;

/// <summary><c>GET /discovered</c>: asks the wire who is there at this moment.</summary>
internal static class DiscoveryEndpoints
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(1);

    private sealed record Discovered(string Address, string Id, string HostName, IReadOnlyList<Service> Services);

    public static void MapDiscovery(this IEndpointRouteBuilder api) =>
        api.MapGet("/discovered", async (string? service, ApplianceOptions options, TimeProvider clock, CancellationToken cancellation) =>
        {
            var marco = new Marco(options.Mesh, options.Interfaces, clock);
            var found = new List<Discovered>();
            await foreach (Found answer in marco.AskAsync(service, s_window, cancellation))
            {
                found.Add(new Discovered(answer.Address.ToString(), answer.Id, answer.HostName, answer.Services));
            }
            return found;
        });
}
