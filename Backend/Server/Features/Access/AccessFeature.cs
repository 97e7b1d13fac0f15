using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Access;

/// <summary>Who may do what: users, tokens, signing in, and the audit log.</summary>
internal static class AccessFeature
{
    public static IServiceCollection AddAccess(this IServiceCollection services, ApplianceOptions options) => services
        .AddSingleton<AccessTokens>().AddSingleton<People>().AddSingleton<AuditLog>().AddSingleton<SignInDelays>().AddSingleton<Entrance>()
        .AddSingleton<FailedSignIns>().AddHostedService(s => s.GetRequiredService<FailedSignIns>())
        .AddSingleton<LiveRequests>().AddHostedService(s => s.GetRequiredService<LiveRequests>())
        .AtStart(s =>
        {
            if (options.InitialTokenFile is { } file)
            {
                s.GetRequiredService<AccessTokens>().WriteInitialToken(file, s.GetRequiredService<People>().FirstAdmin,
                    s.GetRequiredService<SettingsStore>());
            }
        });

    public static void MapAccess(this IEndpointRouteBuilder app)
    {
        AccessEndpoints.Map(app.PublicApi());
        AccessEndpoints.MapOwn(app.Api());
        PeopleEndpoints.MapTokens(app.Api());
        PeopleEndpoints.Map(app.AdministrationApi());
    }
}
