using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Imaging.Store;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Backups;
using Bootstrap.Server.Features.Benchmarks;
using Bootstrap.Server.Features.Boot;
using Bootstrap.Server.Features.Boot.Boards;
using Bootstrap.Server.Features.Boot.Dhcp;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.Boot.Http;
using Bootstrap.Server.Features.Boot.Sets;
using Bootstrap.Server.Features.BurnIn;
using Bootstrap.Server.Features.Description;
using Bootstrap.Server.Features.Discovery;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Files;
using Bootstrap.Server.Features.Imager;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Monitoring;
using Bootstrap.Server.Features.Monitoring.Alerts;
using Bootstrap.Server.Features.Monitoring.Exposition;
using Bootstrap.Server.Features.Monitoring.History;
using Bootstrap.Server.Features.Monitoring.Status;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Notifications;
using Bootstrap.Server.Features.Profiles;
using Bootstrap.Server.Features.Schedules;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Bootstrap.Server;

/// <summary>Puts an appliance together.</summary>
public static partial class ApplianceHost
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
        (CertificateAuthority authority, SecretBox secrets) = KeyFiles.Open(folder.FullPath, settings, clock);
        string serverFile = Path.Combine(folder.FullPath, "ca", "server.pem");
        X509Certificate2 OpenServer() => ServerCertificate.Open(serverFile, authority, ServerNames.OfThisMachine(), clock);
        string joinToken = JoinToken(settings);
        IReadOnlyDictionary<string, NetInstFiles> netInst = NetInstLibrary.Prepare(options, authority, joinToken);

        WebApplicationBuilder builder =
            WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = options.DataFolder });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options, authority));
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
            // A start that fails is told in one sentence by whoever started; the host would print its stack as well.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical).AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            // Strangers' words are in the log: no control sequence is right in it.
            console.ColorBehavior = LoggerColorBehavior.Disabled;
            console.TimestampFormat = "HH:mm:ss ";
        });
        builder.Services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        builder.Services.AddProblemDetails().AddExceptionHandler<BadRequests>()
            .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.AddSingleton<IConnectionListenerFactory>(services =>
            ConnectionBudget.Over(new SocketTransportFactory(services.GetRequiredService<IOptions<SocketTransportOptions>>(),
                services.GetRequiredService<ILoggerFactory>())));
        builder.Services.AddApiDescription().AddSystemd();
        builder.Services.AddCompression();
        builder.Services
            .AddSingleton(_ => folder).AddSingleton(new DataDisk(folder.FullPath, database.Probe, clock))
            .AddSingleton<MatcherPolicy, Listeners.DoorMatcher>().AddSingleton(options).AddSingleton(clock).AddSingleton(_ => database)
            .AddSingleton(settings).AddSingleton(authority).AddSingleton(netInst)
            .AddSingleton<ServerCertificates>(services => new(OpenServer, services.GetRequiredService<DataDisk>(), clock,
                services.GetRequiredService<ILogger<ServerCertificates>>()))
            .AddHostedService(services => services.GetRequiredService<ServerCertificates>())
            .AddAccess().AddSingleton<EventHub>().AddSingleton<ProgressBoard>().AddSingleton<StallWatch>().AddSingleton<PolicyStore>()
            .AddSingleton<NoiseCounter>().AddSingleton<NodeDirectory>().AddSingleton<NodeKeys>().AddSingleton<UnapprovedBoards>()
            .AddSingleton<AskBudget>()
            .AddSingleton<Approvals>().AddSingleton<StrangerNotices>().AddSingleton<EnrolmentEndpoint>()
            .AddHostedService(services => services.GetRequiredService<UnapprovedBoards>())
            .AddSingleton<NodeLog>().AddSingleton<NodeHistory>().AddSingleton<NodeLocator>()
            .AddSingleton<BenchmarkPeers>().AddSingleton<ILinkFeature>(s => s.GetRequiredService<BenchmarkPeers>())
            .AddSingleton<JobSources>()
            .AddSingleton(_ => new FileCatalogue(database, Path.Combine(options.DataFolder, "files"), clock))
            .AddSingleton(_ => new KeptArchives(database, Path.Combine(options.DataFolder, "kept"),
            () => KeptArchives.RoomOf(options.DataFolder), clock)).AddSingleton<JobEngine>().AddSingleton<LinkEndpoint>()
            .AddSingleton(new ImageStore(Path.Combine(options.DataFolder, "store")))
            .AddSingleton<ChunkInspector>(services => new(services.GetRequiredService<ImageStore>(),
                services.GetRequiredService<ImageCatalogue>().ReportDamage))
            .AddSingleton(_ => new ImageSigner(authority.IssueImageSigner()))
            .AddSingleton<ImageImporter>().AddSingleton<ImageCatalogue>()
            .AddSingleton<BootSetLibrary>().AddSingleton<BootPlanner>()
            .AddSingleton<IBootGate>(services => services.GetRequiredService<BootPlanner>())
            .AddSingleton<BoardBootFiles>().AddSingleton<IBootFiles>(services => services.GetRequiredService<BoardBootFiles>())
            .AddSingleton<ILeaseStore, LeaseStore>()
            .AddSingleton<BootRecorder>(services => new(new BootStore(database), services.GetRequiredService<NoiseCounter>(),
                services.GetRequiredService<DataDisk>(), clock)).AddSingleton<BootReports>()
            .AddSingleton<BootObserver>().AddSingleton<TftpService>().AddSingleton<DhcpService>()
            .AddHostedService(services => services.GetRequiredService<BootRecorder>())
            .AddHostedService(services => services.GetRequiredService<TftpService>())
            .AddHostedService(services => services.GetRequiredService<DhcpService>())
            .AddSingleton(secrets).AddSingleton<ProfileStore>()
            .AddSingleton<ScheduleStore>().AddSingleton<ImageUse>().AddSingleton<ScheduleRunner>().AddHostedService<JobClock>()
            .AddHostedService<RawDigests>()
            .AddSingleton(new BackupFolder(options.BackupsFolder)).AddSingleton<BackupService>()
                .AddHostedService(services => services.GetRequiredService<BackupService>())
            .AddSingleton<NotificationStore>().AddSingleton<NotificationChannel>().AddSingleton<NotificationSender>()
            .AddHostedService(services => services.GetRequiredService<NotificationSender>())
            .AddStatusWatch().AddHistory().AddAlerts().AddBenchmarks().AddBurnIns().AddExposition()
            .AddSingleton<IQuietTimes, RunningTasks>().AddSingleton<IQuietTimes, OpenWindows>()
            .AddSingleton<PresenceStore>().AddSingleton<DiscoveryService>()
            .AddHostedService(services => services.GetRequiredService<DiscoveryService>());

        if (options.BootSigningKey is { } signingKey)
        {
            var signer = BootSigner.Open(signingKey, clock);
            builder.Services.AddSingleton(_ => signer);
        }

        WebApplication app = builder.Build();
        // First of all, so that it is given up last.
        if (app.Services.GetRequiredService<DataFolder>().WasOpen is { } mode)
        {
            LogNarrowed(app.Logger, folder.FullPath, Convert.ToString((int)mode, 8));
        }
        app.Services.GetRequiredService<ImageCatalogue>().RemoveLeftovers();
        app.Services.GetRequiredService<FileCatalogue>().RemoveLeftovers();
        app.Services.GetRequiredService<KeptArchives>().RemoveLeftovers();
        app.Services.GetRequiredService<BackupFolder>().RemoveLeftovers();
        Snapshot.RemoveLeftovers(folder.FullPath);
        app.Services.GetRequiredService<NodeKeys>().RevocationsChanged += app.Services.GetRequiredService<NodeDirectory>().Tell;
        TellOfDisk(app);
        app.Services.GetRequiredService<BootReports>(); // tells what the recorder hears, asked or not
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
        ServePage(app, options);
        Map(app, netInst, joinToken);
        if (options.InitialTokenFile is { } file)
        {
            string admin = app.Services.GetRequiredService<People>().FirstAdmin;
            app.Services.GetRequiredService<AccessTokens>().WriteInitialToken(file, admin, settings);
        }
        return app;
    }

    /// <summary>A disk that is full or fails is on the page, one line of the log, and in the audit log as soon as that can be
    /// written.</summary>
    private static void TellOfDisk(WebApplication app)
    {
        DataDisk disk = app.Services.GetRequiredService<DataDisk>();
        string last = "";
        disk.Changed += condition =>
        {
            app.Services.GetRequiredService<EventHub>().Publish("disk", new { disk = condition });
            if (condition != DiskCondition.Good)
            {
                LogDisk(app.Logger, last = disk.Sentence);
                return;
            }
            LogDiskGood(app.Logger);
            disk.Try(() => app.Services.GetRequiredService<AuditLog>().Add("appliance", "The disk works again", "", last));
        };
    }

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

    private static void Map(WebApplication app, IReadOnlyDictionary<string, NetInstFiles> netInst, string joinToken)
    {
        RouteGroupBuilder open = app.MapGroup("/api/v1").At(Door.Web);
        open.MapAccess();
        // What is not part of the API is not the page either: programs get an error that they understand.
        open.MapGet("/{**path}", [ExcludeFromDescription] (string path) => Problems.NotFound($"There is no '{path}' in this API."));
        RouteGroupBuilder api = app.MapGroup("/api/v1").At(Door.Web).RequireSignIn(change: Role.Operator);
        api.MapOwnAccess();
        api.MapTokens();
        api.MapNodes();
        api.MapNodeExport();
        api.MapUnapproved();
        api.MapImagerAddresses();
        api.MapImages();
        api.MapJobs();
        api.MapJobControls();
        api.MapTaskPhases();
        api.MapSchedules();
        api.MapScheduleCalendar();
        api.MapProfiles();
        api.MapEvents();
        api.MapDiscovery();
        api.MapStatus();
        api.MapStatusWatch();
        api.MapAlerts();
        api.MapBenchmarks();
        api.MapBurnIns();
        api.MapHistory();
        api.MapBootReports();
        NetInstCard.Map(api);
        api.MapStore();
        api.MapFiles();
        api.MapApiDescription();
        RouteGroupBuilder administration = app.MapGroup("/api/v1").At(Door.Web).RequireSignIn(change: Role.Admin);
        administration.MapPeople();
        administration.MapNotifications();
        administration.MapPolicy();
        administration.MapBootSets();
        administration.MapDhcp();
        administration.MapBackups();

        app.MapGroup("").At(Door.Web).RequireSignIn(change: Role.Operator).MapExposition();
        app.MapGroup("").At(Door.Web).MapImagerAddress();

        RouteGroupBuilder plain = app.MapGroup("").At(Door.Plain);
        plain.MapStore(publicOnly: true);
        plain.MapPrograms(netInst);
        plain.MapBootFiles();
        plain.MapHttpBoot();
        plain.MapImager();
        plain.MapBenchmarkPeer();

        RouteGroupBuilder link = app.MapGroup("").At(Door.Link);
        EnrolmentEndpoint.Map(link, joinToken);
        link.MapKept();
        LinkEndpoint.Map(link);
        RouteGroupBuilder nodes = app.MapGroup("").At(Door.Link).RequireNode();
        nodes.MapStore();
        nodes.MapStoredFiles();
        nodes.MapPrograms(netInst);
    }

    private static void ServePage(WebApplication app, ApplianceOptions options)
    {
        string folder = Path.Combine(options.ShareFolder, "web");
        if (!Directory.Exists(folder))
        {
            return;
        }
        var files = new PhysicalFileProvider(folder);
        var page = new StaticFileOptions
        {
            FileProvider = files,
            // The page's parts have their digest in their names; the page itself must always be the newest.
            OnPrepareResponse = c => c.Context.Response.Headers.CacheControl =
                c.Context.Request.Path.StartsWithSegments("/assets") ? "public, max-age=31536000, immutable" : "no-cache",
        };
        app.MapGroup("").At(Door.Web).MapFallbackToFile("index.html", page).Compresses();
        // The page itself comes from the fallback's endpoint, its parts from the static files; both carry these headers.
        app.UseWhen(c => Listeners.CameBy(c, Door.Web), web =>
        {
            web.Use((context, next) =>
            {
                context.Response.Headers.ContentSecurityPolicy =
                    // Nodes tell their status themselves.
                    $"default-src 'self'; connect-src 'self' wss://*:{ServicePorts.Status}; style-src 'self' 'unsafe-inline'; " +
                    "frame-ancestors 'none'";
                context.Response.Headers.XContentTypeOptions = "nosniff";
                context.Response.Headers["Referrer-Policy"] = "no-referrer";
                return next(context);
            });
            web.UseWhen(c => c.GetEndpoint() is null, parts => parts.UseResponseCompression().UseStaticFiles(page));
        });
    }

    /// <summary>What one connection may cost before anybody knows whose it is.</summary>
    private static void Bound(KestrelServerLimits limits)
    {
        // Of JSON; who may send a file is told apart, and its endpoint lets him.
        limits.MaxRequestBodySize = 1 << 20;
        // What is kept of a body that nobody has asked for yet.
        limits.MaxRequestBufferSize = 128 << 10;
        limits.Http2.InitialStreamWindowSize = 128 << 10;
        limits.Http2.InitialConnectionWindowSize = 256 << 10;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
    }

    private static void Listen(KestrelServerOptions kestrel, ApplianceOptions options, CertificateAuthority authority)
    {
        kestrel.AddServerHeader = false;
        Bound(kestrel.Limits);
        ServerCertificates server = kestrel.ApplicationServices.GetRequiredService<ServerCertificates>();
        kestrel.Listen(options.Https, listener =>
        {
            listener.Is(Door.Web);
            listener.UseHttps(Tls(() => new SslServerAuthenticationOptions { ServerCertificateContext = server.Current }));
        });
        kestrel.Listen(options.Http, listener => listener.Is(Door.Plain));
        kestrel.Listen(options.Link, listener =>
        {
            listener.Is(Door.Link);
            listener.Protocols = HttpProtocols.Http1; // WebSockets as every client has them
            listener.UseHttps(Tls(() => new SslServerAuthenticationOptions
            {
                ServerCertificateContext = server.Current,
                ClientCertificateRequired = true,
                // Enrolment has no certificate yet; the link's endpoint insists on one. Whose it is, and whether it still is, is NodeKeys'
                // to say.
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    certificate is null || (certificate is X509Certificate2 shown && authority.Issued(shown)),
            }));
        });
    }

    /// <summary>Options that are made for each connection: the certificate is another one after a while.</summary>
    private static TlsHandshakeCallbackOptions Tls(Func<SslServerAuthenticationOptions> options) =>
        new() { OnConnection = _ => ValueTask.FromResult(options()) };

    [LoggerMessage(LogLevel.Warning, "The data folder {Folder} was open to others (mode {Mode}): it is its owner's alone now")]
    private static partial void LogNarrowed(ILogger logger, string folder, string mode);

    [LoggerMessage(LogLevel.Error, "{Sentence}")]
    private static partial void LogDisk(ILogger logger, string sentence);

    [LoggerMessage(LogLevel.Information, "The appliance's disk works again")]
    private static partial void LogDiskGood(ILogger logger);

    /// <summary>The token that boards enrol with: made once, kept, and handed out with this appliance's boot files alone.</summary>
    private static string JoinToken(SettingsStore settings)
    {
        const string Key = "join-token";
        if (settings.Get<string>(Key) is { } token)
        {
            return token;
        }
        token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        settings.Set(Key, token);
        return token;
    }
}
