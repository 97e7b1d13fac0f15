using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Server.Features.Trust;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Hosting;

/// <summary>Opens the appliance's ports for HTTP.</summary>
internal static class ApplianceListeners
{
    public static void AddListeners(this WebApplicationBuilder builder, ApplianceOptions options)
    {
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
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

    private static void Listen(KestrelServerOptions kestrel, ApplianceOptions options)
    {
        kestrel.AddServerHeader = false;
        Bound(kestrel.Limits);
        CertificateAuthority authority = kestrel.ApplicationServices.GetRequiredService<CertificateAuthority>();
        ServerCertificates server = kestrel.ApplicationServices.GetRequiredService<ServerCertificates>();
        kestrel.Listen(options.Https, listener =>
        {
            listener.Is(Listener.Web);
            listener.UseHttps(Tls(() => new SslServerAuthenticationOptions { ServerCertificateContext = server.Current }));
        });
        kestrel.Listen(options.Http, listener => listener.Is(Listener.Plain));
        kestrel.Listen(options.Link, listener =>
        {
            listener.Is(Listener.Link);
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
}
