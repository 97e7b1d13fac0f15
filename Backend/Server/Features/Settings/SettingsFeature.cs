using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.References;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Settings;

/// <summary>What becomes of new boards.</summary>
internal static class SettingsFeature
{
    public static IServiceCollection AddPolicy(this IServiceCollection services) =>
        services.AddSingleton<PolicyStore>().AddSingleton<IReferences, PolicyReferences>();

    public static void MapPolicy(this IEndpointRouteBuilder app) => PolicyEndpoints.Map(app.AdministrationApi());
}
