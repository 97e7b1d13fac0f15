using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.NetInst;

/// <summary>NetInst as this appliance serves it, and the boot sets that it starts with.</summary>
internal static class NetInstFeature
{
    public static IServiceCollection AddNetInst(this IServiceCollection services, ApplianceOptions options) => services
        .AddSingleton(s => NetInstLibrary.Prepare(options, s.GetRequiredService<CertificateAuthority>(),
            s.GetRequiredService<JoinToken>().Text))
        .AddSingleton<BootSetLibrary>();

    public static void MapNetInst(this IEndpointRouteBuilder app)
    {
        NetInstCard.Map(app.Api());
        BootSetEndpoints.Map(app.AdministrationApi());
    }
}
