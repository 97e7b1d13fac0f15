using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Netboot.Tftp;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.Monitoring;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Boot;

/// <summary>Runs DHCP and TFTP as the options say.</summary>
internal sealed partial class NetbootService(
    ApplianceOptions options, IBootFiles files, IBootGate gate, ILeaseStore leases, NoiseCounter noise, BootRecorder recorder, TimeProvider clock,
    ILogger<NetbootService> logger)
    : BackgroundService, IBootObserver
{
    private DhcpServer? _dhcp;
    private TftpServer? _tftp;

    /// <summary>
    /// Opens the ports, so that an appliance that cannot have them does not call itself ready. Without the privilege for them it works for boards
    /// that need no network boot, and says how to grant it.
    /// </summary>
    /// <exception cref="NetbootException">A port cannot be had; the message says why and what to do.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Tftp is { } endPoint)
        {
            try
            {
                _tftp = TftpServer.Open(new TftpServerOptions { EndPoint = endPoint, Uploads = options.TftpUploads }, files, this, clock);
            }
            catch (NetbootException reason) when (reason.IsMissingPrivilege)
            {
                LogNotStarted(reason.Message);
            }
        }
        if (options.Dhcp != DhcpMode.Off)
        {
            try
            {
                _dhcp = await OpenDhcpAsync(cancellationToken);
            }
            catch (NetbootException reason) when (reason.IsMissingPrivilege)
            {
                LogNotStarted(reason.Message);
            }
        }
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _dhcp?.Dispose();
        _tftp?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Task[] running = [.. new[] { _dhcp?.RunAsync(stoppingToken), _tftp?.RunAsync(stoppingToken) }.OfType<Task>()];
        if (running.Length > 0)
        {
            await await Task.WhenAny(running); // one that fails ends the appliance, which would boot nobody without it
            await Task.WhenAll(running);
        }
    }

    private Task<DhcpServer> OpenDhcpAsync(CancellationToken cancel)
    {
        // Before any cable is plugged in, too: each answer names the address that the interface has at that moment.
        IReadOnlyList<string> interfaces =
            options.Interfaces.Count > 0 ? options.Interfaces : [.. DiscoverySocket.Candidates().Select(i => i.Name)];
        return DhcpServer.OpenAsync(new DhcpServerOptions
        {
            HttpPort = options.Http.Port,
            Gate = gate,
            Addresses = options.Dhcp == DhcpMode.Full ? options.Addresses : null,
            BesideRivals = options.DhcpForce,
        }, interfaces, leases, this, clock, cancel);
    }

    void IBootObserver.Asked(DhcpSighting sighting)
    {
        recorder.Asked(sighting);
        if (sighting.Answered is not null && sighting.Kind != BootClientKind.None)
        {
            LogAsked(sighting.Mac, sighting.Kind, sighting.Asked, sighting.Answered.Value, sighting.Interface);
        }
    }

    void IBootObserver.Malformed(string protocol) => noise.Count(protocol);

    void IBootObserver.Fetched(TftpSighting sighting)
    {
        recorder.Fetched(sighting);
        // Boards probe for many files that need not exist: a miss is normal.
        if (sighting.Outcome is TftpOutcome.Refused or TftpOutcome.Aborted or TftpOutcome.TimedOut or TftpOutcome.Failed)
        {
            LogTrouble(sighting.Client.Address, sighting.Path, sighting.Outcome, sighting.Detail ?? "");
        }
    }

    [LoggerMessage(LogLevel.Information, "{Mac} ({Kind}) sent DHCP {Asked} on {Interface} and got {Answered}")]
    private partial void LogAsked(Protocol.Ids.MacAddress mac, BootClientKind kind, DhcpMessageType asked, DhcpMessageType answered, string @interface);

    [LoggerMessage(LogLevel.Warning, "{Reason}")]
    private partial void LogNotStarted(string reason);

    [LoggerMessage(LogLevel.Warning, "TFTP of {Path} to {Address} ended early: {Outcome} {Detail}")]
    private partial void LogTrouble(System.Net.IPAddress address, string path, TftpOutcome outcome, string detail);
}
