using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Events;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>A board whose key nobody has approved. It gets nothing, and is part of nothing, until a person or a policy ties its key to a
/// node.</summary>
/// <param name="Key">Fingerprint of its key.</param>
/// <param name="Id">Who it says that it is.</param>
/// <param name="PublicKey">The key itself.</param>
/// <param name="Address">Where it asked from.</param>
/// <param name="Reason">Why it is not a node, in words.</param>
/// <param name="FirstSeen">Unix milliseconds, as <paramref name="LastSeen"/>.</param>
internal sealed record UnapprovedBoard(
    Digest Key, NodeId Id, PublicKey PublicKey, string Address, string Reason, byte[] InventoryJson, long FirstSeen, long LastSeen)
{
    /// <summary>A board that asks at this moment, and is not listed.</summary>
    public UnapprovedBoard(Digest key, Inventory inventory, PublicKey publicKey, string address)
        : this(key, inventory.Id, publicKey, address, "", UnapprovedBoards.Json(inventory), 0, 0)
    {
    }

    /// <summary>What it says of itself.</summary>
    public Inventory Inventory => JsonSerializer.Deserialize(InventoryJson, ProtocolJson.Default.Inventory)!;
}

/// <summary>
/// The boards that ask to be admitted, in memory alone: who still asks is here again a moment after a restart, and a stranger costs no row
/// and no write. Their number is bounded, in all and for one address, so that a stranger crowds out nobody but those beside him on his own
/// address. Where all places are taken, the network with the most boards gives one up, of the address there that has the most; of several
/// that have as many, chance decides, which nobody can be faster than: a board that asks again and again is soon there again. A part of the
/// places is for boards that hold a key which is, or was, a node's: that cannot be invented.
/// </summary>
internal sealed class UnapprovedBoards(NodeKeys keys, EventHub events, TimeProvider clock) : BackgroundService
{
    /// <summary>What strangers do is told to those who watch no more often than this, however many they are.</summary>
    private static readonly TimeSpan s_tellPeriod = TimeSpan.FromSeconds(1);

    /// <summary>A rack that is switched on for the first time fits.</summary>
    public const int Maximum = 1024;

    /// <summary>Places that strangers do not get.</summary>
    public const int ForKnownKeys = Maximum / 8;

    /// <summary>One board behind one address is the rule; a person who tries several keys, or a router in between, is not locked
    /// out.</summary>
    public const int MaximumOfAddress = 8;

    /// <summary>Bytes of JSON that are kept of one: 16 MiB in all. A PC with twenty disks has half of that.</summary>
    public const int MaximumInventoryBytes = 16 << 10;

    /// <summary>Bytes of inventories that are listed at once: those of 1,000 boards as they are.</summary>
    public const int MaximumListedBytes = 4 << 20;

    /// <summary>Who has not asked for so long is not shown any more. It is longer than the longest pause between two questions.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(3);

    /// <summary>A board that was rejected is not listed for so long, whatever it asks.</summary>
    private static readonly TimeSpan s_rejection = TimeSpan.FromHours(24);

    private readonly ConcurrentDictionary<Digest, UnapprovedBoard> _boards = new();
    private readonly ConcurrentDictionary<Digest, long> _rejected = new();
    private volatile bool _changed;

    /// <summary>Those that ask, in the order in which they came.</summary>
    public IReadOnlyList<UnapprovedBoard> List() =>
        [.. _boards.Values.Where(IsThere).OrderBy(b => b.FirstSeen).ThenBy(b => b.Key.ToString(), StringComparer.Ordinal)];

    /// <summary>
    /// Those that ask, each with its inventory as far as <see cref="MaximumListedBytes"/> go: where there is too much, those that say most
    /// of themselves are listed without it.
    /// </summary>
    public IReadOnlyList<(UnapprovedBoard Board, Inventory Inventory)> ListBounded()
    {
        IReadOnlyList<UnapprovedBoard> all = List();
        long left = MaximumListedBytes;
        HashSet<Digest> whole = [.. all.OrderBy(b => b.InventoryJson.Length).TakeWhile(b => (left -= b.InventoryJson.Length) >= 0)
            .Select(b => b.Key)];
        return [.. all.Select(b => (b, whole.Contains(b.Key) ? b.Inventory : InventoryLimits.Unsaid(b.Id)))];
    }

    /// <summary>The board with that key, or null.</summary>
    public UnapprovedBoard? Find(Digest key) => _boards.TryGetValue(key, out UnapprovedBoard? board) && IsThere(board) ? board : null;

    /// <summary>Whether a board with a key that nobody approved says that it is this node.</summary>
    public bool Claims(NodeId node) => _boards.Values.Any(b => b.Id == node && IsThere(b));

    /// <summary>The longest pause between two questions.</summary>
    public const int LongestRetrySeconds = 60;

    /// <summary>
    /// How long a board waits until it asks again: at once as good as asked when there are few, and longer the more there are, so that
    /// 1,000 of
    /// them cost no more than 20 do.
    /// </summary>
    public static int RetrySeconds(int boards) => Math.Clamp(boards / 20, 2, LongestRetrySeconds);

    /// <summary>A board asks.</summary>
    /// <param name="isNews">It was not known before, or waits for another reason now.</param>
    /// <returns>The board as it is known now; null: there is no room for another one, it was rejected, or no board can be called
    /// so.</returns>
    public UnapprovedBoard? Add(PublicKey key, Inventory inventory, string address, string reason, out bool isNews)
    {
        Digest fingerprint = Protocol.Trust.FingerprintOf(key);
        long now = Now;
        isNews = false;
        if (inventory.Id.ToString().StartsWith(Protocol.Trust.ApplianceIdPrefix, StringComparison.Ordinal))
        {
            return null;
        }
        if (_boards.TryGetValue(fingerprint, out UnapprovedBoard? known))
        {
            UnapprovedBoard seen = known with
            {
                LastSeen = now,
                Address = address,
                Id = inventory.Id,
                Reason = reason,
                InventoryJson = Json(inventory)
            };
            _boards[fingerprint] = seen;
            isNews = known.Reason != reason;
            _changed = _changed || known.Id != seen.Id || known.Address != seen.Address || known.Reason != seen.Reason;
            return seen;
        }
        if (IsRejected(fingerprint))
        {
            return null;
        }
        Forget(now);
        if (!MakeRoom(address, IsKnown(fingerprint)))
        {
            return null;
        }
        var board = new UnapprovedBoard(fingerprint, inventory.Id, key, address, reason, Json(inventory), now, now);
        isNews = _boards.TryAdd(fingerprint, board);
        _changed = true;
        return board;
    }

    /// <summary>Whether a person did not want the board with that key, less than a day ago.</summary>
    public bool IsRejected(Digest key) => _rejected.TryGetValue(key, out long until) && Now < until;

    /// <summary>Boards that are waiting; an upper bound.</summary>
    public int Count => _boards.Count;

    /// <summary>The key was approved.</summary>
    public void Approved(Digest key)
    {
        _boards.TryRemove(key, out _);
        _changed = true;
    }

    /// <summary>A person does not want it; false where it is not there.</summary>
    public bool Reject(Digest key)
    {
        if (!_boards.TryRemove(key, out _))
        {
            return false;
        }
        // Bounded as the list is: the oldest rejection gives way.
        if (_rejected.Count >= Maximum)
        {
            _rejected.TryRemove(_rejected.MinBy(r => r.Value).Key, out _);
        }
        _rejected[key] = Now + (long)s_rejection.TotalMilliseconds;
        _changed = true;
        return true;
    }

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private bool IsThere(UnapprovedBoard board) => Now - board.LastSeen < s_silence.TotalMilliseconds;

    private void Forget(long now)
    {
        foreach (UnapprovedBoard gone in _boards.Values.Where(b => now - b.LastSeen >= s_silence.TotalMilliseconds))
        {
            _boards.TryRemove(gone.Key, out _);
        }
        foreach ((Digest key, long until) in _rejected.Where(r => now >= r.Value))
        {
            _rejected.TryRemove(key, out _);
        }
    }

    /// <summary>Whether it is, or was, a node's key: not many are, and who asks with one holds it.</summary>
    private bool IsKnown(Digest key) => keys.Find(key) is not null || keys.IsRevoked(key);

    /// <returns>False where the address has as many as one may have.</returns>
    private bool MakeRoom(string address, bool known)
    {
        UnapprovedBoard[] strangers = [.. _boards.Values.Where(b => !IsKnown(b.Key))];
        if (!known && strangers.Count(b => b.Address == address) >= MaximumOfAddress)
        {
            return false;
        }
        bool full = known ? _boards.Count >= Maximum : strangers.Length >= Maximum - ForKnownKeys;
        // With more known keys than there are places, they share what they have.
        UnapprovedBoard[] from = !full ? [] : strangers.Length > 0 ? strangers : [.. _boards.Values];
        if (from.Length > 0)
        {
            UnapprovedBoard[] theirs = Greediest(Greediest(from,
                b => Sources.NetworkOf(IPAddress.TryParse(b.Address, out IPAddress? at) ? at : null)), b => b.Address);
            _boards.TryRemove(theirs[Random.Shared.Next(theirs.Length)].Key, out _);
        }
        return true;
    }

    /// <summary>The boards of the group that has the most; of several that have as many, one by chance.</summary>
    private static UnapprovedBoard[] Greediest(UnapprovedBoard[] boards, Func<UnapprovedBoard, string> group)
    {
        IGrouping<string, UnapprovedBoard>[] groups = [.. boards.GroupBy(group)];
        int most = groups.Max(g => g.Count());
        IGrouping<string, UnapprovedBoard>[] largest = [.. groups.Where(g => g.Count() == most)];
        return [.. largest[Random.Shared.Next(largest.Length)]];
    }

    /// <summary>Tells those who watch that the list is another one.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_tellPeriod, clock);
        int told = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                int there = _boards.IsEmpty ? 0 : List().Count;
                if (_changed || there != told)
                {
                    _changed = false;
                    events.Publish("unapproved", new { count = told = there });
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The appliance stops.
        }
    }

    /// <summary>As much of an inventory as is kept: what a person needs to know the board by. The rest comes with the node
    /// itself.</summary>
    internal static byte[] Json(Inventory inventory)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(inventory, ProtocolJson.Default.Inventory);
        while (json.Length > MaximumInventoryBytes && inventory.Disks.Count + inventory.Interfaces.Count > 0)
        {
            inventory = inventory with
            {
                Disks = [.. inventory.Disks.Take(inventory.Disks.Count / 2)],
                Interfaces = [.. inventory.Interfaces.Take(inventory.Interfaces.Count / 2)],
            };
            json = JsonSerializer.SerializeToUtf8Bytes(inventory, ProtocolJson.Default.Inventory);
        }
        return json;
    }
}
