using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Imager;

/// <summary>Images for Raspberry Pi Imager.</summary>
internal static class ImagerFeature
{
    public static IServiceCollection AddImager(this IServiceCollection services) => services.AddHostedService<RawDigests>();

    public static void MapImager(this IEndpointRouteBuilder app)
    {
        ImagerEndpoints.Map(app.Api());
        ImagerEndpoints.MapPublic(app.Plain());
        ImagerEndpoints.MapPrivate(app.Web());
    }
}
