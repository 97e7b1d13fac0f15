using Bootstrap.Protocol;

namespace Bootstrap.Board.Lldp;

/// <summary>
/// Which switch's port each interface is plugged into. An announcement is true until its time to live is over; others that are heard on the
/// same wire meanwhile (a switch without LLDP passes on what its other ports say) do not take its place, unless they are switches and it is
/// none.
/// </summary>
/// <param name="clock">Ends what is not announced again.</param>
public sealed class LldpNeighbours(TimeProvider clock)
{
    /// <summary>Four times the standard's period: an interface that has heard nothing for so long has no neighbour that speaks.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // An announcement may ask for 18 hours.
    private static readonly TimeSpan s_maximumTime = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Known> _known = [];

    private sealed record Known(SwitchPort? Port, bool IsBridge, long Since, TimeSpan For);

    /// <summary>The port that an interface is plugged into; null where that is not known.</summary>
    public SwitchPort? PortOf(string interfaceName)
    {
        lock (_lock)
        {
            return _known.GetValueOrDefault(interfaceName)?.Port;
        }
    }

    /// <summary>An interface is listened to from now on.</summary>
    public void Listen(string interfaceName)
    {
        lock (_lock)
        {
            _known.TryAdd(interfaceName, new Known(null, false, clock.GetTimestamp(), Patience));
        }
    }

    /// <summary>An announcement came.</summary>
    /// <returns>True if the interface's port is another one now.</returns>
    public bool Hear(string interfaceName, LldpFrame frame)
    {
        lock (_lock)
        {
            Known? known = _known.GetValueOrDefault(interfaceName);
            bool same = known?.Port?.Chassis == frame.Port.Chassis && known.Port.Port == frame.Port.Port;
            if (known?.Port is not null && !same && !IsOver(known) && (known.IsBridge || !frame.IsBridge))
            {
                return false;
            }
            SwitchPort? port = frame.TimeToLive > TimeSpan.Zero ? frame.Port : null;
            TimeSpan time = port is null ? Timeout.InfiniteTimeSpan : frame.TimeToLive < s_maximumTime ? frame.TimeToLive : s_maximumTime;
            _known[interfaceName] = new Known(port, frame.IsBridge, clock.GetTimestamp(), time);
            return known?.Port != port;
        }
    }

    /// <summary>Forgets what was not announced again in time.</summary>
    /// <returns>True if it is now known of an interface that nothing announces itself there.</returns>
    public bool Expire()
    {
        lock (_lock)
        {
            string[] over = [.. _known.Where(k => IsOver(k.Value)).Select(k => k.Key)];
            foreach (string name in over)
            {
                _known[name] = new Known(null, false, 0, Timeout.InfiniteTimeSpan);
            }
            return over.Length > 0;
        }
    }

    private bool IsOver(Known known) => known.For != Timeout.InfiniteTimeSpan && clock.GetElapsedTime(known.Since) >= known.For;
}
