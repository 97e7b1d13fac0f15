using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.BurnIn;

/// <summary>What boards have to pass before they count as fit.</summary>
internal static class BurnInFeature
{
    public static IServiceCollection AddBurnIns(this IServiceCollection services) => services
        .AddSingleton<BurnIns>().AddSingleton<ILinkFeature>(s => s.GetRequiredService<BurnIns>());

    public static void MapBurnIns(this IEndpointRouteBuilder app) => BurnInEndpoints.Map(app.Api());
}
