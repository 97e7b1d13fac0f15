using Bootstrap.Protocol.Discovery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Discovery;

/// <summary>
/// <c>GET /discovered</c> asks the wire who is there at this moment; <c>GET /presence</c> says who is from what was heard, without asking;
/// <c>GET /presence/events?after=N</c> what happened since event N. Events come as <c>presence</c> in <c>/events</c>, too.
/// </summary>
internal static class DiscoveryEndpoints
{
    private const int MaximumEvents = 1000;

    /// <summary>A tenth of a second each where few answer: a board that was busy for a second is found, too. (A person at a terminal is
    /// not kept waiting for such.)</summary>
    private const int PatientRetries = 10;

    internal sealed record Discovered(string Address, string Id, string HostName, Identity Identity, IReadOnlyList<Service> Services,
        bool IsProven);

    internal sealed record Present(
        string Id, string HostName, Identity Identity, string Address, PresenceState State, DateTimeOffset LastHeard,
        IReadOnlyList<Service> Services);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/discovered",
            async (string? service, ApplianceOptions options, Trust.CertificateAuthority authority, Nodes.NodeKeys keys,
            TimeProvider clock, CancellationToken cancellation) =>
        {
            var marco = new Marco(options.Interfaces, clock, new MessageVerifier(authority.Issued, keys.Stands));
            var search = new Search
            {
                Meshes = [options.Mesh],
                Filter = service is null ? null : new NodeFilter(service),
                Retries = PatientRetries,
            };
            var found = new List<Discovered>();
            await foreach (Found answer in marco.FindAsync(search, cancellation))
            {
                NodeDescription node = answer.Node;
                found.Add(new Discovered(answer.Address.ToString(), node.Id, node.HostName, node.Identity, node.Services, answer.IsProven));
            }
            return found;
        });
        api.MapGet("/presence", (DiscoveryService discovery) => discovery.Nodes.Select(r => new Present(
            r.Node.Id, r.Node.HostName, r.Node.Identity, r.Address[..r.Address.LastIndexOf(':')], r.State, r.LastHeard, r.Node.Services)));
        api.MapGet("/presence/events", (long? after, PresenceStore store) => store.EventsAfter(after ?? 0, MaximumEvents));
    }
}
