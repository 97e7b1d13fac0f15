using System.Net;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>
/// How often strangers at one address are looked at. A board asks again when it was told to; whoever asks more often, with whatever keys,
/// is told so before a signature is checked, a table read or a list searched. So a crowd that knows no pause costs little.
/// </summary>
/// <param name="clock">Measures the pauses.</param>
internal sealed class AskBudget(TimeProvider clock)
{
    /// <summary>Addresses that are remembered; with more at once all begin anew.</summary>
    private const int MaximumAddresses = 8192;

    private readonly Dictionary<string, (long Began, int Seconds, int Asked)> _asked = [];
    private readonly Lock _lock = new();

    /// <summary>The seconds until somebody at this address is looked at again; null: now.</summary>
    public int? PauseOf(IPAddress? address)
    {
        lock (_lock)
        {
            if (!_asked.TryGetValue(Sources.HostOf(address), out (long Began, int Seconds, int Asked) at) ||
                at.Asked < UnapprovedBoards.MaximumOfAddress)
            {
                return null;
            }
            int left = (int)Math.Ceiling(at.Seconds - clock.GetElapsedTime(at.Began).TotalSeconds);
            return left > 0 ? left : null;
        }
    }

    /// <summary>Somebody at this address was looked at, and got nothing.</summary>
    /// <param name="address">Where he asked from.</param>
    /// <param name="seconds">After which he may ask again, as he was told.</param>
    public void Charge(IPAddress? address, int seconds)
    {
        string host = Sources.HostOf(address);
        lock (_lock)
        {
            bool goesOn = _asked.TryGetValue(host, out (long Began, int Seconds, int Asked) at) &&
                clock.GetElapsedTime(at.Began).TotalSeconds < at.Seconds;
            if (!goesOn && _asked.Count >= MaximumAddresses)
            {
                _asked.Clear();
            }
            _asked[host] = goesOn ? at with { Asked = at.Asked + 1 } : (clock.GetTimestamp(), seconds, 1);
        }
    }
}
