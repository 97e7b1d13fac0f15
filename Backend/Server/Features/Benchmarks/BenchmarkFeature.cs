using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary>What nodes were measured to do.</summary>
internal static class BenchmarkFeature
{
    public static IServiceCollection AddBenchmarks(this IServiceCollection services) => services
        .AddSingleton<BenchmarkStore>().AddSingleton<ILinkFeature>(s => s.GetRequiredService<BenchmarkStore>());

    public static void MapBenchmarks(this IEndpointRouteBuilder app)
    {
        BenchmarkEndpoints.Map(app.Api());
        PeerEndpoint.Map(app.Plain());
    }
}
