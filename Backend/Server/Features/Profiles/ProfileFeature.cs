using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Profiles;

/// <summary>How installed systems are configured.</summary>
internal static class ProfileFeature
{
    public static IServiceCollection AddProfiles(this IServiceCollection services) => services.AddSingleton<ProfileStore>();

    public static void MapProfiles(this IEndpointRouteBuilder app) => ProfileEndpoints.Map(app.Api());
}
