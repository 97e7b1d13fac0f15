using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Boot.Boards;
using Bootstrap.Server.Features.Boot.Dhcp;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.Boot.Http;
using Bootstrap.Server.Features.NetInst;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Boot;

/// <summary>What boards boot from: DHCP, TFTP and HTTP.</summary>
internal static class BootFeature
{
    public static IServiceCollection AddBoot(this IServiceCollection services, ApplianceOptions options, TimeProvider clock)
    {
        services
            .AddSingleton<BootPlanner>().AddSingleton<IBootGate>(s => s.GetRequiredService<BootPlanner>())
            .AddSingleton<BoardBootFiles>().AddSingleton<IBootFiles>(s => s.GetRequiredService<BoardBootFiles>())
            .AddSingleton<BootRecorder>(s => new(new BootStore(s.GetRequiredService<Database>()), s.GetRequiredService<NoiseCounter>(),
                s.GetRequiredService<DataDisk>(), clock))
            .AddSingleton<ILeaseStore, LeaseStore>().AddSingleton<BootReports>()
            .AddSingleton<BootObserver>().AddSingleton<TftpService>().AddSingleton<DhcpService>()
            .AddHostedService(s => s.GetRequiredService<BootRecorder>())
            .AddHostedService(s => s.GetRequiredService<TftpService>())
            .AddHostedService(s => s.GetRequiredService<DhcpService>())
            // It tells what the recorder hears, asked or not.
            .AtStart(s => s.GetRequiredService<BootReports>());
        if (options.BootSigningKey is { } key)
        {
            var signer = BootSigner.Open(key, clock);
            services.AddSingleton(_ => signer);
        }
        return services;
    }

    public static void MapBoot(this IEndpointRouteBuilder app)
    {
        BootReportEndpoints.Map(app.Api());
        DhcpEndpoints.Map(app.AdministrationApi());
        var netInst = app.ServiceProvider.GetRequiredService<IReadOnlyDictionary<string, NetInstFiles>>();
        BootEndpoints.MapPrograms(app.Plain(), netInst);
        BootEndpoints.MapPrograms(app.NodesOnly(), netInst);
        BootEndpoints.Map(app.Plain());
        HttpBootEndpoints.Map(app.Plain());
    }
}
