using System.Net;

namespace Bootstrap.Server.Features.Access;

/// <summary>
/// Slows down those who guess passwords. Attempts are counted by the address that they come from and by the name that they are for, whether
/// anybody has it or not; after some that failed, each waits longer than the one before. A browser in which that person has signed in
/// before has a count of its own, which no stranger's guesses touch, and a session or a link never waits. Counts have a place each in
/// tables of fixed size: nobody can make the appliance remember more.
/// <para>
/// An IPv6 host can take any address of its network of 64 bits, and shares that network with its neighbours. If the network alone counted,
/// one neighbour who guesses would keep all others out; if the address alone did, he would never wait. So each address waits as an IPv4 one
/// does, and the network has a count beside it that begins late and never makes anybody wait for long: who changes addresses is slow, and
/// his neighbours wait seconds at worst.
/// </para>
/// </summary>
internal sealed class SignInDelays(TimeProvider clock)
{
    /// <summary>Attempts of an address, and of a known browser, that may fail before the first delay; and those for a name from all
    /// over.</summary>
    private const int FreeOfSource = 10, FreeOfName = 20;

    /// <summary>Attempts of a network that may fail before its delays.</summary>
    private const int FreeOfNetwork = 200;

    private const int LongestName = 64;

    private static readonly TimeSpan s_longestDelay = TimeSpan.FromMinutes(1), s_longestOfNetwork = TimeSpan.FromSeconds(5);

    /// <summary>A count is forgotten when nothing was added to it for so long.</summary>
    private static readonly TimeSpan s_memory = TimeSpan.FromMinutes(15);

    private readonly Lock _lock = new();
    private readonly Count[] _sources = new Count[1 << 15], _networks = new Count[1 << 14], _names = new Count[1 << 12],
        _browsers = new Count[1 << 12];

    private struct Count
    {
        public int Failures;
        public long LastAt;
    }

    /// <summary>Takes the right to one attempt, which counts as failed until <see cref="Succeeded"/>.</summary>
    /// <param name="source">Where it comes from.</param>
    /// <param name="name">Whose password it is said to be.</param>
    /// <param name="browser">Mark of a browser in which he has signed in before; null: it is not known.</param>
    /// <returns>Zero: it may be looked at; else how long it has to wait.</returns>
    public TimeSpan Take(IPAddress? source, string name, string? browser)
    {
        lock (_lock)
        {
            TimeSpan wait = TimeSpan.Zero;
            foreach ((Count[] table, int place, int free, TimeSpan longest) in Places(source, name, browser))
            {
                TimeSpan its = Wait(ref table[place], free, longest);
                wait = its > wait ? its : wait;
            }
            if (wait > TimeSpan.Zero)
            {
                return wait;
            }
            foreach ((Count[] table, int place, _, _) in Places(source, name, browser))
            {
                table[place] = new Count { Failures = table[place].Failures + 1, LastAt = clock.GetTimestamp() };
            }
            return TimeSpan.Zero;
        }
    }

    /// <summary>The attempt was right: it does not count. What failed before still does, or a guesser would sign in himself in
    /// between.</summary>
    public void Succeeded(IPAddress? source, string name, string? browser)
    {
        lock (_lock)
        {
            foreach ((Count[] table, int place, _, _) in Places(source, name, browser))
            {
                table[place].Failures = Math.Max(0, table[place].Failures - 1);
            }
        }
    }

    private IEnumerable<(Count[] Table, int Place, int Free, TimeSpan Longest)> Places(IPAddress? source, string name, string? browser)
    {
        if (browser is not null)
        {
            yield return (_browsers, PlaceOf(_browsers, browser), FreeOfSource, s_longestDelay);
            yield break;
        }
        string network = Sources.HostOf(source), address = source is null || network.Contains('.', StringComparison.Ordinal) ? network
            : source.ToString();
        yield return (_sources, PlaceOf(_sources, address), FreeOfSource, s_longestDelay);
        yield return (_names, PlaceOf(_names, name.Length > LongestName ? name[..LongestName] : name), FreeOfName, s_longestDelay);
        if (network != address)
        {
            yield return (_networks, PlaceOf(_networks, network), FreeOfNetwork, s_longestOfNetwork);
        }
    }

    /// <summary>.NET's hashes of strings are keyed by a secret of the process: nobody can choose whose place he shares.</summary>
    private static int PlaceOf(Count[] table, string key) => (int)((uint)string.GetHashCode(key, StringComparison.Ordinal) % table.Length);

    private TimeSpan Wait(ref Count count, int free, TimeSpan longest)
    {
        TimeSpan since = clock.GetElapsedTime(count.LastAt);
        if (since > s_memory)
        {
            count.Failures = 0;
        }
        if (count.Failures < free)
        {
            return TimeSpan.Zero;
        }
        var delay = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, count.Failures - free), longest.TotalSeconds));
        return delay > since ? delay - since : TimeSpan.Zero;
    }
}
