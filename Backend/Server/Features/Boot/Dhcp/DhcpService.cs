using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Boot.Dhcp;

/// <summary>Runs DHCP as it is set, and changes it while the appliance runs.</summary>
internal sealed partial class DhcpService(
    ApplianceOptions options, SettingsStore store, IBootGate gate, ILeaseStore leases, TftpService tftp, BootObserver observer,
    TimeProvider clock, ILogger<DhcpService> logger)
    : BackgroundService
{
    private const string Key = "dhcp";

    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly TaskCompletionSource _failure = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Running? _running;

    private sealed record Running(DhcpServer Server, CancellationTokenSource Stop, Task Task);

    /// <summary>As it is set now.</summary>
    public DhcpSettings Settings { get; private set; } = DhcpSettings.Default;

    /// <summary>The command line has set it: nobody else can.</summary>
    public bool IsFixed => options.Dhcp is not null;

    /// <summary>What runs now; Off where it cannot run.</summary>
    public DhcpMode Mode => _running is null ? DhcpMode.Off : Settings.Mode;

    /// <summary>Why it does not run although it is set; null where all is well.</summary>
    public string? Fault { get; private set; }

    /// <summary>Names of those that it listens on. Before any cable is plugged in, too: each answer names the address that the interface
    /// has at that moment.</summary>
    public IReadOnlyList<string> Interfaces => options.Interfaces.Count > 0 ? options.Interfaces
        : [.. DiscoverySocket.Candidates().Select(i => i.Name)];

    /// <summary>
    /// Opens the ports, so that an appliance that cannot have them does not call itself ready. It starts all the same without the privilege
    /// for them, for boards that need no network boot, and where people have set on the page what cannot be any more: there they can change
    /// it.
    /// </summary>
    /// <exception cref="NetbootException">A port cannot be had, or another DHCP server answers; the message says why and what to
    /// do.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        DhcpSettings? kept = store.Get<DhcpSettings>(Key);
        Settings = options.Dhcp ?? kept ?? DhcpSettings.Default;
        try
        {
            await OpenAsync(Settings, cancellationToken);
        }
        catch (NetbootException reason) when (reason.IsMissingPrivilege || (kept is not null && !IsFixed))
        {
            Fault = reason.Message;
            LogNotStarted(reason.Message);
        }
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Serves in another way from now on, and after each start. TFTP goes on meanwhile.</summary>
    /// <param name="wanted">Without a fault.</param>
    /// <param name="cancel">Ends the wait for an earlier change.</param>
    /// <returns>Why it cannot be: then all is as it was. Null: it is so, and kept.</returns>
    public async Task<string?> ChangeAsync(DhcpSettings wanted, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel);
        try
        {
            bool ran = _running is not null;
            await CloseAsync();
            try
            {
                await OpenAsync(wanted, CancellationToken.None);
            }
            catch (NetbootException reason)
            {
                await GoOnAsync(ran);
                return reason.Message;
            }
            store.Set(Key, wanted);
            (Settings, Fault) = (wanted, null);
            return null;
        }
        finally
        {
            _changing.Release();
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await CloseAsync();
    }

    public override void Dispose()
    {
        _running?.Server.Dispose();
        _changing.Dispose();
        base.Dispose();
    }

    /// <summary>DHCP that fails ends the appliance, which would boot nobody without it.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _failure.Task.WaitAsync(stoppingToken);

    /// <summary>Serves as before the change that could not be: no other server was there then.</summary>
    private async Task GoOnAsync(bool ran)
    {
        try
        {
            if (ran)
            {
                await OpenAsync(Settings with { BesideRivals = true }, CancellationToken.None);
            }
        }
        catch (NetbootException reason)
        {
            Fault = reason.Message;
            LogNotStarted(reason.Message);
        }
    }

    private async Task OpenAsync(DhcpSettings settings, CancellationToken cancel)
    {
        if (settings.Mode == DhcpMode.Off)
        {
            return;
        }
        var server = await DhcpServer.OpenAsync(
            new DhcpServerOptions
            {
                HttpPort = options.Http.Port,
                Gate = gate,
                Begins = tftp.Restart,
                Addresses = settings.Plan(),
                BesideRivals = settings.BesideRivals
            },
            Interfaces, leases, observer, clock, cancel);
        var stop = new CancellationTokenSource();
        _running = new Running(server, stop, RunAsync(server, stop.Token));
    }

    private async Task CloseAsync()
    {
        if (_running is { } running)
        {
            _running = null;
            await running.Stop.CancelAsync();
            await running.Task;
            running.Server.Dispose();
            running.Stop.Dispose();
        }
    }

    private async Task RunAsync(DhcpServer server, CancellationToken stop)
    {
        try
        {
            await server.RunAsync(stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            _failure.TrySetException(e); // whatever it is, the host reports it
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Reason}")]
    private partial void LogNotStarted(string reason);
}
