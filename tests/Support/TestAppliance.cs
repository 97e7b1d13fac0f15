using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using Bootstrap.Server;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Hosting;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Support;

/// <summary>A whole appliance in this process: loopback only, no DHCP, no TFTP, a data folder of its own that goes with it.</summary>
public sealed class TestAppliance : IAsyncDisposable
{
    private const int FirstPort = 12_000;

    // Not the same ones as in test programs that run beside this one.
    private static int s_lastPort = Random.Shared.Next();

    private readonly string _folder;
    private readonly TimeProvider _clock;
    private WebApplication _application;

    private TestAppliance(string folder, ApplianceOptions options, WebApplication application, TimeProvider clock)
    {
        _folder = folder;
        _clock = clock;
        _application = application;
        Options = options;
        CertificateAuthority authority = application.Services.GetRequiredService<CertificateAuthority>();
        string joinToken = application.Services.GetRequiredService<SettingsStore>().Get<string>("join-token")!;
        Info = new ApplianceInfo(options.Link, authority.Certificate, joinToken);
    }

    public ApplianceOptions Options { get; }

    /// <summary>What a node must know of it.</summary>
    public ApplianceInfo Info { get; }

    public IServiceProvider Services => _application.Services;

    /// <summary>Address of the page and of the API.</summary>
    public Uri Url => new($"https://{Options.Https}/");

    /// <summary>Starts one.</summary>
    /// <param name="page">Folder of the built web page; null: none is served.</param>
    /// <param name="clock">Its clock; null: the system's.</param>
    /// <param name="change">What else is particular to it.</param>
    /// <param name="approve">Whether new boards are nodes without a person's approval, as in a rack that nobody else reaches.</param>
    /// <param name="keepsPolicy">Whether the policy stays that its data folder has.</param>
    public static async Task<TestAppliance> StartAsync(
        string? page = null, TimeProvider? clock = null, Func<ApplianceOptions, ApplianceOptions>? change = null, bool approve = true,
            bool keepsPolicy = false)
    {
        string folder = Directory.CreateTempSubdirectory("test-appliance-").FullName;
        string share = Path.Combine(folder, "share");
        FillShare(share);
        if (page is not null)
        {
            Directory.CreateSymbolicLink(Path.Combine(share, "web"), page);
        }
        var options = new ApplianceOptions(Path.Combine(folder, "data"), share)
        {
            Https = FreeEndPoint(),
            Http = FreeEndPoint(),
            Link = FreeEndPoint(),
            Tftp = null,
            Dhcp = new DhcpSettings(DhcpMode.Off),
            Interfaces = ["lo"],
        };
        options = change?.Invoke(options) ?? options;
        clock ??= TimeProvider.System;
        WebApplication application = ApplianceHost.Build(options, clock);
        if (!keepsPolicy)
        {
            application.Services.GetRequiredService<PolicyStore>().Set(Policy.Default with { ApproveNewBoards = approve });
        }
        await application.StartAsync();
        return new TestAppliance(folder, options, application, clock);
    }

    /// <summary>Ends it and starts it again with what its data folder holds; boards must connect again.</summary>
    /// <param name="meanwhile">What happens while it is off.</param>
    public async Task RestartAsync(Action? meanwhile = null)
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        meanwhile?.Invoke();
        _application = ApplianceHost.Build(Options, _clock);
        await _application.StartAsync();
    }

    /// <summary>Starts one on which people have set DHCP before, for an interface that may not be there.</summary>
    public static Task<TestAppliance> StartWithDhcpAsync(DhcpSettings settings, string interfaceName,
        string? page = null) => StartAsync(page, change: options =>
    {
        Directory.CreateDirectory(options.DataFolder);
        using var database = new Database(Path.Combine(options.DataFolder, "appliance.db"));
        new SettingsStore(database).Set("dhcp", settings);
        return options with { Dhcp = null, Interfaces = [interfaceName] };
    });

    /// <summary>A link that signs a browser in, once.</summary>
    public Uri SignInLink() => new(Url, "sign-in#" + ApplianceHost.CreateSignInLink(_application));

    /// <summary>A client of the API with a token of the first administrator.</summary>
    /// <param name="role">What the token may do.</param>
    public HttpClient CreateClient(Role role = Role.Admin) => CreateClient(Services.GetRequiredService<AccessTokens>()
        .CreateToken("test", "admin", role));

    /// <summary>A client of the API as which a person is signed in.</summary>
    public HttpClient SignIn(string person = "admin") => CreateClient(Services.GetRequiredService<AccessTokens>().CreateSession(person));

    /// <summary>A client of the API.</summary>
    /// <param name="secret">Token or session that it sends; null: none.</param>
    public HttpClient CreateClient(string? secret)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    certificate is System.Security.Cryptography.X509Certificates.X509Certificate2 shown
                        && Protocol.Trust.IsIssuedBy(shown, Info.Authority),
            },
        };
        var client = new HttpClient(handler) { BaseAddress = new Uri(Url, "api/v1/") };
        client.DefaultRequestHeaders.Authorization = secret is null ? null : new AuthenticationHeaderValue("Bearer", secret);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Simulated boards are ordered to fetch NetInst and the Slave, and never do: any bytes will do.</summary>
    private static void FillShare(string share)
    {
        foreach (string architecture in new[] { "arm64", "amd64" })
        {
            string netInst = Path.Combine(share, "netinst", architecture), slave = Path.Combine(share, "slave", architecture);
            Directory.CreateDirectory(netInst);
            Directory.CreateDirectory(slave);
            foreach (string file in new[] { "kernel", "modules.cpio.zst", "init.cpio.zst" })
            {
                File.WriteAllBytes(Path.Combine(netInst, file), [1, 2, 3, 4]);
            }
            File.WriteAllBytes(Path.Combine(slave, "bootstrap-slave.zst"), [5, 6, 7, 8]);
        }
    }

    /// <summary>A port of loopback that nobody listens on, below those that the kernel gives to connections: none of them takes it in the
    /// meantime.</summary>
    private static IPEndPoint FreeEndPoint()
    {
        while (true)
        {
            var endPoint = new IPEndPoint(IPAddress.Loopback, FirstPort + (Interlocked.Increment(ref s_lastPort) & 0x3fff));
            using var listener = new TcpListener(endPoint);
            try
            {
                listener.Start();
                return endPoint;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another program's: the next one.
            }
        }
    }
}
