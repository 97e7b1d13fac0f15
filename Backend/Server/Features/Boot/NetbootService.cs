using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Netboot.Tftp;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Server.Features.Monitoring;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Boot;

/// <summary>Runs DHCP and TFTP as the options say.</summary>
internal sealed partial class NetbootService(
    ApplianceOptions options, IBootFiles files, ILeaseStore leases, NoiseCounter noise, TimeProvider clock, ILogger<NetbootService> logger)
    : BackgroundService, IBootObserver
{
    private DhcpServer? _dhcp;
    private TftpServer? _tftp;

    /// <summary>Opens the ports, so that an appliance that cannot have them does not call itself ready.</summary>
    /// <exception cref="NetbootException">A port cannot be had; the message says why and what to do.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Tftp is { } endPoint)
        {
            _tftp = TftpServer.Open(new TftpServerOptions { EndPoint = endPoint }, files, this, clock);
        }
        if (options.Dhcp != DhcpMode.Off)
        {
            // Before any cable is plugged in, too: each answer names the address that the interface has at that moment.
            IReadOnlyList<string> interfaces =
                options.Interfaces.Count > 0 ? options.Interfaces : [.. DiscoverySocket.Candidates().Select(i => i.Name)];
            AddressPlan? addresses = options.Dhcp == DhcpMode.Full ? new AddressPlan() : null;
            _dhcp = DhcpServer.Open(new DhcpServerOptions { HttpPort = options.Http.Port, Addresses = addresses }, interfaces, leases, this, clock);
        }
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _dhcp?.Dispose();
        _tftp?.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_dhcp?.RunAsync(stoppingToken) ?? Task.CompletedTask, _tftp?.RunAsync(stoppingToken) ?? Task.CompletedTask);

    void IBootObserver.Asked(DhcpSighting sighting)
    {
        if (sighting.Answered is not null && sighting.Kind != BootClientKind.None)
        {
            LogAsked(sighting.Mac, sighting.Kind, sighting.Asked, sighting.Answered.Value, sighting.Interface);
        }
    }

    void IBootObserver.Malformed(string protocol) => noise.Count(protocol);

    void IBootObserver.Fetched(TftpSighting sighting)
    {
        // Boards probe for many files that need not exist: a miss is normal.
        if (sighting.Outcome is TftpOutcome.Aborted or TftpOutcome.TimedOut or TftpOutcome.Failed)
        {
            LogTrouble(sighting.Client.Address, sighting.Path, sighting.Outcome, sighting.Detail ?? "");
        }
    }

    [LoggerMessage(LogLevel.Information, "{Mac} ({Kind}) sent DHCP {Asked} on {Interface} and got {Answered}")]
    private partial void LogAsked(Protocol.Ids.MacAddress mac, BootClientKind kind, DhcpMessageType asked, DhcpMessageType answered, string @interface);

    [LoggerMessage(LogLevel.Warning, "TFTP of {Path} to {Address} ended early: {Outcome} {Detail}")]
    private partial void LogTrouble(System.Net.IPAddress address, string path, TftpOutcome outcome, string detail);
}
