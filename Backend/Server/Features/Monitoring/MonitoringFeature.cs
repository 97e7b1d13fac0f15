using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Monitoring.Alerts;
using Bootstrap.Server.Features.Monitoring.Exposition;
using Bootstrap.Server.Features.Monitoring.History;
using Bootstrap.Server.Features.Monitoring.Status;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Monitoring;

/// <summary>How nodes and the appliance are, now and before, and what is wrong with them.</summary>
internal static class MonitoringFeature
{
    public static IServiceCollection AddMonitoring(this IServiceCollection services) =>
        services.AddSingleton<ApplianceExporter>().AddStatusWatch().AddHistory().AddAlerts();

    public static void MapMonitoring(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder api = app.Api();
        StatusEndpoint.Map(api);
        StatusEndpoints.Map(api);
        AlertEndpoints.Map(api);
        HistoryEndpoints.Map(api);
        ExpositionEndpoints.Map(app.Web().RequireSignIn(change: Role.Operator));
    }

    private static IServiceCollection AddStatusWatch(this IServiceCollection services) => services
        .AddSingleton<StatusHolders>().AddHostedService(s => s.GetRequiredService<StatusHolders>())
        .AddSingleton<StatusRelays>().AddHostedService(s => s.GetRequiredService<StatusRelays>())
        .AddSingleton<ILinkFeature>(s => s.GetRequiredService<StatusRelays>())
        .AddSingleton<ILinkFeature, StatusCertificates>();

    private static IServiceCollection AddHistory(this IServiceCollection services) => services
        .AddSingleton<HistoryStore>(s => new(s.GetRequiredService<DataFolder>().HistoryPath, s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<HistoryStore>>()))
        .AddSingleton<ILinkFeature, HistoryLink>()
        .AddSingleton<INodeRecords>(s => s.GetRequiredService<HistoryStore>())
        .AddSingleton<HistoryService>().AddHostedService(s => s.GetRequiredService<HistoryService>());

    private static IServiceCollection AddAlerts(this IServiceCollection services) => services
        .AddSingleton<AlertRules>().AddSingleton<AlertStore>().AddSingleton<OwnConditions>()
        .AddSingleton<AlertService>().AddHostedService(s => s.GetRequiredService<AlertService>())
        .AddSingleton<ILinkFeature>(s => s.GetRequiredService<AlertService>());
}
