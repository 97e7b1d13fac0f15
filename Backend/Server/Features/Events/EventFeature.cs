using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Events;

/// <summary>What happens, told to whoever watches.</summary>
internal static class EventFeature
{
    public static IServiceCollection AddEvents(this IServiceCollection services) =>
        services.AddSingleton<EventHub>().AddSingleton<NoiseCounter>();

    public static void MapEvents(this IEndpointRouteBuilder app) => EventEndpoints.Map(app.Api());
}
