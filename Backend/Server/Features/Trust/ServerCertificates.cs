using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Trust;

/// <summary>The certificate that the TLS ports show at this moment. It is renewed in time, however long the appliance runs.</summary>
/// <param name="open">Reads the one that is kept, or makes another where that does not fit (<see cref="ServerCertificate.Open"/>).</param>
internal sealed partial class ServerCertificates(Func<X509Certificate2> open, DataDisk disk, TimeProvider clock,
    ILogger<ServerCertificates> logger) : BackgroundService
{
    /// <summary>There are 30 days for it.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromHours(1);

    private volatile SslStreamCertificateContext _current = Wrap(open());

    /// <summary>For the next connection; those that are open keep theirs. Of one context, sessions are resumed.</summary>
    public SslStreamCertificateContext Current => _current;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(s_look, clock, stoppingToken);
                disk.Try(Look);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The appliance stops.
        }
    }

    private void Look()
    {
        X509Certificate2 now = open();
        if (now.Thumbprint == _current.TargetCertificate.Thumbprint)
        {
            now.Dispose();
            return;
        }
        // The one before stays until the collector takes it: handshakes that have begun use it.
        _current = Wrap(now);
        LogRenewed(now.NotAfter.ToUniversalTime());
    }

    private static SslStreamCertificateContext Wrap(X509Certificate2 certificate) =>
        SslStreamCertificateContext.Create(certificate, null, offline: true);

    [LoggerMessage(LogLevel.Information, "The appliance's own certificate was renewed, until {End:u}: its names or its time were over")]
    private partial void LogRenewed(DateTime end);
}
