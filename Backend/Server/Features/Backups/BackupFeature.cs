using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Backups;

/// <summary>Copies of all that the appliance keeps.</summary>
internal static class BackupFeature
{
    public static IServiceCollection AddBackups(this IServiceCollection services, ApplianceOptions options) => services
        .AddSingleton(new BackupFolder(options.BackupsFolder))
        .AddSingleton<BackupService>().AddHostedService(s => s.GetRequiredService<BackupService>())
        .AtStart(s =>
        {
            s.GetRequiredService<BackupFolder>().RemoveLeftovers();
            Snapshot.RemoveLeftovers(s.GetRequiredService<DataFolder>().FullPath);
        });

    public static void MapBackups(this IEndpointRouteBuilder app) => BackupEndpoints.Map(app.AdministrationApi());
}
