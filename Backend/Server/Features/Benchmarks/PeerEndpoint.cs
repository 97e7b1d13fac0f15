using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Server.Features.Jobs.Kinds;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary>The appliance as the other end of a benchmark of the network (<see cref="PeerService"/>), on the port of its files.</summary>
internal static class PeerEndpoint
{
    public static void Map(IEndpointRouteBuilder plain) =>
        plain.MapGet(PeerService.Path, async (
            HttpContext context, BenchmarkPeers peers, IHostApplicationLifetime lifetime, TimeProvider clock) =>
        {
            IHttpUpgradeFeature? upgrade = context.Features.Get<IHttpUpgradeFeature>();
            if (!peers.Secrets.Any || upgrade is not { IsUpgradableRequest: true } || context.Request.Headers.Upgrade != PeerService.Word)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }
            context.Response.Headers.Upgrade = PeerService.Word;
            await using Stream stream = await upgrade.UpgradeAsync();
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            try
            {
                await PeerService.ServeAsync(stream, peers.Secrets, clock, null, end.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The node has gone, or the appliance ends.
            }
        });
}
