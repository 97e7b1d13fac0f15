using Bootstrap.Protocol;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Backups;
using Bootstrap.Server.Features.Benchmarks;
using Bootstrap.Server.Features.Boot;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.BurnIn;
using Bootstrap.Server.Features.Description;
using Bootstrap.Server.Features.Discovery;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Files;
using Bootstrap.Server.Features.Imager;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Link;
using Bootstrap.Server.Features.Monitoring;
using Bootstrap.Server.Features.NetInst;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Notifications;
using Bootstrap.Server.Features.Profiles;
using Bootstrap.Server.Features.Schedules;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Bootstrap.Server.Hosting;

/// <summary>Puts an appliance together.</summary>
public static class ApplianceHost
{
    /// <summary>Makes an appliance that is ready to be started. Its data folder is made where there is none, and is its own until it is
    /// disposed.</summary>
    /// <exception cref="IOException">It cannot be: another one uses the folder, or a file cannot be read; the message says what to
    /// do.</exception>
    /// <exception cref="InvalidDataException">Something in the folder is not as it must be; the message says what to do.</exception>
    public static WebApplication Build(ApplianceOptions options, TimeProvider clock)
    {
        // Before anything in it is touched.
        var folder = DataFolder.Open(options.DataFolder);
        try
        {
            return Build(options, clock, folder);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    private static WebApplication Build(ApplianceOptions options, TimeProvider clock, DataFolder folder)
    {
        var database = new Database(folder.DatabasePath);
        var settings = new SettingsStore(database);
        settings.Verify();
        WebApplicationBuilder builder =
            WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = options.DataFolder });
        builder.AddListeners(options);
        AddLog(builder.Logging);
        builder.Services.AddSingleton(options).AddSingleton(clock).AddSystemd()
            .AddStorage(folder, database, settings, clock).AddHttp()
            .AddTrust(folder, settings, clock).AddAccess(options).AddEvents().AddPolicy()
            .AddNodes().AddFiles(options).AddImages(options).AddProfiles().AddNetInst(options).AddJobs(options).AddLink()
            .AddBoot(options, clock).AddSchedules().AddImager().AddBackups(options).AddNotifications()
            .AddMonitoring().AddBenchmarks().AddBurnIns().AddDiscovery().AddApiDescription().AddDiskNews();

        WebApplication app = builder.Build();
        app.Services.DoStartActions();
        app.Use(ConnectionBudget.AskedAsync);
        app.UseStrictTransport();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseRoutingOfHead();
        app.UseGuard();
        app.UseBodyTypes();
        app.UseCompression();
        app.UseBootRequests();
        app.UseWebSockets();
        app.MapPage(options);
        app.MapAccess();
        app.MapEvents();
        app.MapPolicy();
        app.MapNodes();
        app.MapFiles();
        app.MapImages();
        app.MapProfiles();
        app.MapNetInst();
        app.MapJobs();
        app.MapLink();
        app.MapBoot();
        app.MapSchedules();
        app.MapImager();
        app.MapBackups();
        app.MapNotifications();
        app.MapMonitoring();
        app.MapBenchmarks();
        app.MapBurnIns();
        app.MapDiscovery();
        app.MapApiDescription();
        return app;
    }

    private static void AddLog(ILoggingBuilder log) => log
        .SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
        // A start that fails is told in one sentence by whoever started; the host would print its stack as well.
        .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            // Strangers' words are in the log: no control sequence is right in it.
            console.ColorBehavior = LoggerColorBehavior.Disabled;
            console.TimestampFormat = "HH:mm:ss ";
        });

    /// <summary>Makes the token of a link that signs the first administrator in, once; for those who stand at the machine itself.</summary>
    public static string CreateSignInLink(WebApplication app) => app.Services.GetRequiredService<AccessTokens>()
        .CreateSignInLink(app.Services.GetRequiredService<People>().FirstAdmin, AccessTokens.LinkLifetime);

    /// <summary>Makes such a link, and writes it to a file of mode 0600 in the data folder.</summary>
    /// <param name="page">Address of the page.</param>
    /// <returns>The file's path.</returns>
    public static string WriteSignInLink(WebApplication app, Uri page, out Uri link)
    {
        link = new Uri(page, "sign-in#" + CreateSignInLink(app));
        string path = Path.Combine(app.Services.GetRequiredService<ApplianceOptions>().DataFolder, "sign-in-link");
        PrivateFile.Write(path, link + "\n");
        return path;
    }

    /// <summary>SHA-256 of the appliance's CA, as people compare it.</summary>
    public static string FingerprintOf(WebApplication app) =>
        Fingerprint.Of(app.Services.GetRequiredService<CertificateAuthority>().Certificate);
}
