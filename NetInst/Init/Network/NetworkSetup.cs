using System.Net;
using Bootstrap.Board;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Init.Network;

/// <summary>
/// Brings up every physical interface as it turns up (USB adapters are late) and keeps an address on each: by DHCP, or the given
/// one on the first that has a cable. The first router found carries what leaves the network.
/// </summary>
/// <param name="given">An address by hand; null: DHCP.</param>
internal sealed class NetworkSetup(BoardReader board, Lease? given, Action<string> log, TimeProvider clock)
{
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_quietPeriod = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Task> _interfaces = [];
    private readonly TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly List<string> _hints = [];
    private bool _routed;
    private bool _givenTaken;

    /// <summary>Done as soon as one interface has an address.</summary>
    public Task Up => _up.Task;

    /// <summary>Addresses that DHCP servers named: the appliance may be there.</summary>
    public IReadOnlyList<string> Hints
    {
        get
        {
            lock (_lock)
            {
                return [.. _hints];
            }
        }
    }

    /// <summary>Looks for interfaces and serves them until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        InterfaceControl.BringUp("lo");
        while (true)
        {
            foreach (NetworkInterfaceInfo i in board.ReadInterfaces().Where(i => !_interfaces.ContainsKey(i.Name)))
            {
                _interfaces.Add(i.Name, ServeAsync(i.Name, i.Mac, cancellation));
            }
            foreach ((string name, Task served) in _interfaces.Where(p => p.Value.IsCompleted).ToArray())
            {
                // Rethrows what nobody foresaw; an interface that went away is served anew when it is back.
                await served.ConfigureAwait(false);
                _interfaces.Remove(name);
            }
            await Task.Delay(Up.IsCompleted ? s_quietPeriod : s_lookPeriod, clock, cancellation).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(string name, MacAddress mac, CancellationToken cancellation)
    {
        try
        {
            InterfaceControl.BringUp(name);
            log($"interface {name} ({mac})");
            await CarrierAsync(name, cancellation).ConfigureAwait(false);
            if (given is not null)
            {
                if (!_givenTaken)
                {
                    _givenTaken = true;
                    Use(name, given);
                }
                await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellation).ConfigureAwait(false);
            }
            var dhcp = new DhcpClient(name, mac, clock);
            Lease lease = await dhcp.ObtainAsync(cancellation).ConfigureAwait(false);
            Use(name, lease);
            while (true)
            {
                lease = await KeepAsync(dhcp, name, lease, cancellation).ConfigureAwait(false);
            }
        }
        catch (LinuxException e)
        {
            log(e.Message);
            await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Renews when it is time; a lease that no server prolongs is asked for anew, and used until something better is
    /// there.</summary>
    private async Task<Lease> KeepAsync(DhcpClient dhcp, string name, Lease lease, CancellationToken cancellation)
    {
        TimeSpan wait = lease.Seconds is { } seconds ? DhcpClient.RenewAfter(seconds) : Timeout.InfiniteTimeSpan;
        await Task.Delay(wait, clock, cancellation).ConfigureAwait(false);
        Lease renewed = await dhcp.RenewAsync(lease, cancellation).ConfigureAwait(false) ??
            await dhcp.ObtainAsync(cancellation).ConfigureAwait(false);
        if (!renewed.Address.Equals(lease.Address) || !renewed.Mask.Equals(lease.Mask))
        {
            Use(name, renewed);
        }
        return renewed;
    }

    private async Task CarrierAsync(string name, CancellationToken cancellation)
    {
        while (board.ReadInterfaces().FirstOrDefault(i => i.Name == name) is not { LinkUp: true })
        {
            await Task.Delay(s_lookPeriod, clock, cancellation).ConfigureAwait(false);
        }
    }

    private void Use(string name, Lease lease)
    {
        InterfaceControl.Address(name, lease.Address, lease.Mask);
        lock (_lock)
        {
            if (lease.Router is { } router && !_routed)
            {
                InterfaceControl.DefaultRoute(name, router);
                _routed = true;
            }
            _hints.AddRange(((IPAddress?[])[lease.NextServer, lease.Server]).OfType<IPAddress>().Select(a => a.ToString()).Except(_hints));
        }
        log($"network up: {name} has {lease.Address}{(lease.Server is { } server ? $" from {server}" : "")}");
        _up.TrySetResult();
    }
}
