using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bootstrap.Protocol.Discovery;

/// <summary>All interfaces that discovery works on, as they come and go.</summary>
/// <param name="interfaceNames">Interfaces to listen on; null or empty: all physical ones.</param>
/// <param name="clock">Times the looking.</param>
/// <param name="malformed">Told of each datagram that is no message; it was dropped.</param>
public sealed class Wires(IReadOnlyCollection<string>? interfaceNames, TimeProvider clock, Action? malformed = null)
{
    /// <summary>Switches with IGMP snooping forget members.</summary>
    private static readonly TimeSpan s_rejoinPeriod = TimeSpan.FromSeconds(60);

    /// <summary>The kernel tells of changes at once; this is for what it does not tell.</summary>
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromSeconds(10);

    private readonly List<IWireListener> _listeners = [];
    private volatile IReadOnlyList<Wire> _current = [];

    /// <summary>The wires at this moment.</summary>
    public IReadOnlyList<Wire> Current => _current;

    /// <summary>Lets somebody listen; before <see cref="RunAsync"/>.</summary>
    public void Add(IWireListener listener) => _listeners.Add(listener);

    /// <summary>Sends on every wire.</summary>
    public void SendToGroup(ReadOnlySpan<byte> message)
    {
        foreach (Wire wire in Current)
        {
            wire.SendToGroup(message);
        }
    }

    /// <summary>Follows the interfaces until cancelled; then the sockets are closed.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var changed = new SemaphoreSlim(0);
        void Changed(object? sender, EventArgs e) => changed.Release();
        NetworkChange.NetworkAddressChanged += Changed;
        long joined = clock.GetTimestamp();
        try
        {
            while (true)
            {
                Follow();
                if (clock.GetElapsedTime(joined) >= s_rejoinPeriod)
                {
                    foreach (Wire wire in Current)
                    {
                        wire.Rejoin();
                    }
                    joined = clock.GetTimestamp();
                }
                await changed.WaitAsync(s_lookPeriod, cancellation).ConfigureAwait(false);
                while (changed.Wait(0, CancellationToken.None))
                {
                    // One look for all that has changed by now.
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            NetworkChange.NetworkAddressChanged -= Changed;
            foreach (Wire wire in Current)
            {
                wire.Dispose();
            }
            _current = [];
        }
    }

    private void Follow()
    {
        var present = DiscoverySocket.Interfaces(interfaceNames).ToDictionary(i => i.Name);
        bool Stays(Wire wire) => !wire.IsOver && present.TryGetValue(wire.Name, out NetworkInterface? i) &&
            wire.Address.Equals(DiscoverySocket.IPv4(i)?.Address);
        List<Wire> stay = [.. Current.Where(Stays)];
        foreach (Wire wire in Current.Except(stay))
        {
            wire.Dispose();
        }
        List<Wire> added = [.. present.Values.Where(i => stay.All(w => w.Name != i.Name)).Select(TryOpen).OfType<Wire>()];
        _current = [.. stay, .. added];
        foreach (Wire wire in added)
        {
            _listeners.ForEach(listener => listener.Joined(wire));
        }
    }

    private Wire? TryOpen(NetworkInterface i)
    {
        try
        {
            return new Wire(i, _listeners, clock, malformed);
        }
        catch (Exception e) when (e is SocketException or NetworkInformationException)
        {
            // Went down between listing and joining: looked at again in seconds.
            return null;
        }
    }
}
