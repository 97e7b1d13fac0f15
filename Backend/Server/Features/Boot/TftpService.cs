using Bootstrap.Netboot;
using Bootstrap.Netboot.Tftp;
using Bootstrap.Protocol.Ids;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Boot;

/// <summary>Runs TFTP as the options say.</summary>
internal sealed partial class TftpService(
    ApplianceOptions options, IBootFiles files, BootObserver observer, TimeProvider clock, ILogger<TftpService> logger) : BackgroundService
{
    private TftpServer? _tftp;

    /// <summary>It serves now; otherwise it is off, or lacks the privilege for its port.</summary>
    public bool IsServing => _tftp is not null;

    /// <summary>
    /// Opens the port, so that an appliance that cannot have it does not call itself ready. Without the privilege for it, it works for
    /// boards that need no network boot, and says how to grant it.
    /// </summary>
    /// <exception cref="NetbootException">The port cannot be had; the message says why and what to do.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Tftp is { } endPoint)
        {
            try
            {
                _tftp = TftpServer.Open(new TftpServerOptions { EndPoint = endPoint, Uploads = options.TftpUploads }, files, observer,
                    clock);
            }
            catch (NetbootException reason) when (reason.IsMissingPrivilege)
            {
                LogNotStarted(reason.Message);
            }
        }
        return base.StartAsync(cancellationToken);
    }

    /// <summary>A board has begun anew (<see cref="TftpServer.Restart"/>).</summary>
    public void Restart(MacAddress mac) => _tftp?.Restart(mac);

    public override void Dispose()
    {
        _tftp?.Dispose();
        base.Dispose();
    }

    /// <summary>TFTP that fails ends the appliance, which would boot nobody without it.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _tftp?.RunAsync(stoppingToken) ?? Task.CompletedTask;

    [LoggerMessage(LogLevel.Warning, "{Reason}")]
    private partial void LogNotStarted(string reason);
}
