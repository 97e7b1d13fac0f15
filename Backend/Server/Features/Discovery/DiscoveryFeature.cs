using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Discovery;

/// <summary>The appliance in its mesh.</summary>
internal static class DiscoveryFeature
{
    public static IServiceCollection AddDiscovery(this IServiceCollection services) => services
        .AddSingleton<PresenceStore>()
        .AddSingleton<DiscoveryService>().AddHostedService(s => s.GetRequiredService<DiscoveryService>());

    public static void MapDiscovery(this IEndpointRouteBuilder app) => DiscoveryEndpoints.Map(app.Api());
}
