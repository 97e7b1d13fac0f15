using Bootstrap.Link;
using Bootstrap.Protocol;

namespace Bootstrap.Init;

/// <summary>
/// By which identity the board is known: each that one of its disks holds is tried with the appliance, and only when it takes none of them
/// does the board ask to be admitted. A disk that turns up meanwhile is looked at as well, until the appliance has accepted a connection.
/// </summary>
/// <param name="disks">The board's disks at present.</param>
/// <param name="read">The identities that a disk holds.</param>
/// <param name="enrol">Asks to be admitted, by the key of an identity that is not taken any more, or by a new one; until it is.</param>
/// <param name="clock">Times the looks.</param>
public sealed class IdentitySearch(
    Func<IEnumerable<DiskInfo>> disks, Func<DiskInfo, IEnumerable<NodeIdentity>> read,
    Func<NodeIdentity?, CancellationToken, Task<NodeIdentity>> enrol, TimeProvider clock)
{
    /// <summary>More than boards have disks and systems: what a disk that somebody prepared can make this try.</summary>
    public const int MaximumCandidates = 16;

    /// <summary>A disk may be there before its partitions are.</summary>
    private const int LooksPerDisk = 2;

    /// <summary>How often is looked for disks.</summary>
    public static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    private readonly Dictionary<DiskInfo, int> _looks = [];
    private readonly HashSet<string> _known = [];
    private readonly Queue<NodeIdentity> _untried = [];
    private NodeIdentity? _asked;
    private bool _isOver;

    /// <summary>The identity to connect with next.</summary>
    /// <param name="refused">One that the appliance did not take; null: none was tried yet.</param>
    /// <param name="patience">For how long a disk that holds one is waited for before the board asks.</param>
    public async Task<NodeIdentity> NextAsync(NodeIdentity? refused, TimeSpan patience, CancellationToken cancellation)
    {
        // People may know the board by the likeliest of its keys; what the appliance gave and takes no more is that.
        _asked = _asked is null || (refused is not null && !_known.Contains(refused.Certificate.Thumbprint)) ? refused : _asked;
        long started = clock.GetTimestamp();
        while (true)
        {
            Look();
            if (_untried.TryDequeue(out NodeIdentity? next))
            {
                return next;
            }
            if (_isOver || clock.GetElapsedTime(started) >= patience)
            {
                break;
            }
            await Task.Delay(LookPeriod, clock, cancellation).ConfigureAwait(false);
        }
        return await AskAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>The appliance accepted a connection: from here on the disks are an installation's, and are not looked at any
    /// more.</summary>
    public void End() => _isOver = true;

    private async Task<NodeIdentity> AskAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<NodeIdentity> asking = enrol(_asked, stop.Token);
        while (!_isOver && !asking.IsCompleted && !cancellation.IsCancellationRequested)
        {
            await Task.WhenAny(asking, Task.Delay(LookPeriod, clock, stop.Token)).ConfigureAwait(false);
            Look();
            if (!asking.IsCompleted && _untried.TryDequeue(out NodeIdentity? next))
            {
                await stop.CancelAsync().ConfigureAwait(false);
                await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return next;
            }
        }
        NodeIdentity identity = await asking.ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        return identity;
    }

    private void Look()
    {
        if (_isOver)
        {
            return;
        }
        DiskInfo[] present = [.. disks()];
        foreach (DiskInfo gone in _looks.Keys.Except(present).ToList())
        {
            _looks.Remove(gone);
        }
        foreach (DiskInfo disk in present)
        {
            int looks = _looks.GetValueOrDefault(disk);
            if (looks == LooksPerDisk)
            {
                continue;
            }
            _looks[disk] = looks + 1;
            foreach (NodeIdentity identity in read(disk))
            {
                if (_known.Count < MaximumCandidates && _known.Add(identity.Certificate.Thumbprint))
                {
                    _untried.Enqueue(identity);
                }
                else
                {
                    identity.Dispose();
                }
            }
        }
    }
}
