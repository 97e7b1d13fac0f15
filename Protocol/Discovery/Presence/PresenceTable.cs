using System.Net;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// Who is there. It only keeps books: it hears what was received, says whom to ask, and never believes an announcement of somebody who has
/// not answered a question of its own with a proof. Not thread-safe.
/// </summary>
/// <remarks>After SWIM (Das, Gupta, Motivala 2002): a missing node is asked directly, then through others, and only then is down; and
/// after Lifeguard (Dadgar, Phillips, Currey 2018): a watcher that was itself late blames nobody.</remarks>
public sealed class PresenceTable(PresenceTiming timing, TimeProvider clock, long lastSequence = 0)
{
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly List<PresenceEvent> _events = [];
    private long _sequence = lastSequence;
    private long _lastTick = clock.GetTimestamp();

    private sealed class Entry
    {
        public required NodeDescription Node { get; set; }
        public required string Mesh { get; set; }
        public required IPEndPoint Address { get; set; }
        public required PresenceAnchor Anchor { get; set; }
        public IPEndPoint? Relay { get; set; }
        public PresenceState State { get; set; }
        public long Heard { get; set; }
        public DateTimeOffset HeardAt { get; set; }
        public int Asked { get; set; }
    }

    /// <summary>A node to ask whether it is there.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Address">Where it was last.</param>
    /// <param name="Mesh">Its mesh.</param>
    /// <param name="Helpers">Others who shall ask it too; empty at first.</param>
    /// <param name="Relay">Who carries questions to it; null: it is asked directly.</param>
    public sealed record Doubt(string Id, IPEndPoint Address, string Mesh, IReadOnlyList<IPEndPoint> Helpers, IPEndPoint? Relay);

    /// <summary>Number of the newest event.</summary>
    public long Sequence => _sequence;

    /// <summary>All nodes, those that are gone included.</summary>
    public IReadOnlyList<PresenceRecord> Records => [.. _entries.Values.Select(
        e => new PresenceRecord(e.Node, e.Mesh, e.Address.ToString(), e.Anchor, e.State, e.HeardAt, e.Relay?.ToString()))];

    /// <summary>Puts back what an earlier run knew. Everybody gets the full time to be heard.</summary>
    public void Restore(IEnumerable<PresenceRecord> records)
    {
        foreach (PresenceRecord record in records)
        {
            if (IPEndPoint.TryParse(record.Address, out IPEndPoint? address))
            {
                _entries[record.Node.Id] = new Entry
                {
                    Node = record.Node,
                    Mesh = record.Mesh,
                    Address = address,
                    Anchor = record.Anchor,
                    Relay = IPEndPoint.TryParse(record.Relay ?? "", out IPEndPoint? relay) ? relay : null,
                    State = record.State,
                    Heard = clock.GetTimestamp(),
                    HeardAt = record.LastHeard,
                };
            }
        }
    }

    /// <summary>Takes the events since the last call, oldest first.</summary>
    public IReadOnlyList<PresenceEvent> TakeEvents()
    {
        PresenceEvent[] events = [.. _events];
        _events.Clear();
        return events;
    }

    /// <summary>A beat came, of a node that is there and about which nothing has changed: almost all are so. Nothing is to be told or asked
    /// then.</summary>
    /// <returns>False: it is something else, and was not taken; <see cref="Hear(Beat)"/> takes it.</returns>
    public bool HearUsual(Beat beat) =>
        _entries.TryGetValue(beat.Id, out Entry? entry) && entry.State == PresenceState.Alive && beat.State == entry.Anchor.State &&
        Hear(beat);

    /// <summary>What a node has said of itself, and the state that it was in; null: it is not known.</summary>
    public (NodeDescription Node, int State)? Find(string id) =>
        _entries.TryGetValue(id, out Entry? entry) ? (entry.Node, entry.Anchor.State) : null;

    /// <summary>A beat came.</summary>
    /// <returns>False if it must be asked who that is: it is new, was gone, has changed, or the beat does not prove itself.</returns>
    public bool Hear(Beat beat)
    {
        if (!_entries.TryGetValue(beat.Id, out Entry? entry) || entry.State == PresenceState.Gone)
        {
            return false;
        }
        PresenceAnchor known = entry.Anchor;
        if (beat.Key.AsSpan().SequenceEqual(known.Key) || BeatChain.Follows(beat.Sequence, beat.Key, known.Sequence, known.Key))
        {
            // Heard by another wire, late, or replayed: it says nothing.
            return true;
        }
        if (!BeatChain.Follows(known.Sequence, known.Key, beat.Sequence, beat.Key))
        {
            return false;
        }
        entry.Anchor = entry.Anchor with { Sequence = beat.Sequence, Key = beat.Key };
        Refresh(entry);
        return beat.State == entry.Anchor.State;
    }

    /// <summary>A farewell came. One that does not prove itself is ignored.</summary>
    public void Hear(Farewell farewell)
    {
        if (_entries.TryGetValue(farewell.Id, out Entry? entry) && entry.State != PresenceState.Gone &&
            BeatChain.Hash(farewell.Key).AsSpan().SequenceEqual(entry.Anchor.Goodbye))
        {
            Leave(entry, "said goodbye");
        }
    }

    /// <summary>A node answered one of our questions, and it was proven that it was that node.</summary>
    /// <param name="node">What it says of itself.</param>
    /// <param name="mesh">The mesh that was asked.</param>
    /// <param name="anchor">By what its next beats are known.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="relay">By whom it was heard, where it is in another network.</param>
    public void Hear(NodeDescription node, string mesh, PresenceAnchor anchor, IPEndPoint address, IPEndPoint? relay = null)
    {
        if (!_entries.TryGetValue(node.Id, out Entry? entry))
        {
            _entries[node.Id] = entry =
                new Entry { Node = node, Mesh = mesh, Address = address, Anchor = anchor, Relay = relay, State = PresenceState.Gone };
            Join(entry, "first seen");
            return;
        }
        NodeDescription before = entry.Node;
        bool moved = !entry.Address.Address.Equals(address.Address);
        (entry.Node, entry.Mesh, entry.Address, entry.Anchor, entry.Relay) = (node, mesh, address, anchor, relay);
        if (entry.State == PresenceState.Gone)
        {
            Join(entry, "is back");
        }
        else
        {
            Refresh(entry);
        }
        if (before.Identity != node.Identity)
        {
            Tell(PresenceKind.Identity, entry, $"was {Name(before.Identity)}, is {Name(node.Identity)}");
        }
        if (moved || (before with { Identity = node.Identity }).ToText() != node.ToText())
        {
            Tell(PresenceKind.Change, entry, moved ? $"is at {address.Address}" : "tells something else of itself");
        }
    }

    /// <summary>Looks who is missing; to be called each <see cref="PresenceTiming.Tick"/>.</summary>
    /// <returns>Whom to ask now.</returns>
    public IReadOnlyList<Doubt> Tick()
    {
        TimeSpan gap = clock.GetElapsedTime(_lastTick);
        _lastTick = clock.GetTimestamp();
        if (gap > timing.Late)
        {
            return ExcuseAll();
        }
        var doubts = new List<Doubt>();
        foreach (Entry entry in _entries.Values.Where(e => e.State != PresenceState.Gone))
        {
            TimeSpan silence = clock.GetElapsedTime(entry.Heard);
            if (silence >= timing.Dead)
            {
                Leave(entry, $"not heard for {silence.TotalSeconds:0} s, neither by us nor by others");
            }
            else if (silence >= timing.Suspect)
            {
                if (entry.State == PresenceState.Alive)
                {
                    entry.State = PresenceState.Suspect;
                    entry.Asked = 0;
                    Tell(PresenceKind.Suspect, entry, $"not heard for {silence.TotalSeconds:0} s");
                }
                // Twice directly, then through others as well, at every tick until it is down.
                doubts.Add(new Doubt(entry.Node.Id, entry.Address, entry.Mesh, entry.Asked++ < 2 ? [] : Helpers(entry), entry.Relay));
            }
        }
        return doubts;
    }

    /// <summary>This program, or its machine, stood still. What was said meanwhile is lost, and silence means nothing: all are
    /// asked.</summary>
    private List<Doubt> ExcuseAll()
    {
        foreach (Entry entry in _entries.Values)
        {
            entry.Heard = clock.GetTimestamp();
        }
        return [.. _entries.Values.Where(e => e.State == PresenceState.Suspect)
            .Select(e => new Doubt(e.Node.Id, e.Address, e.Mesh, [], e.Relay))];
    }

    private IPEndPoint[] Helpers(Entry missing)
    {
        Entry[] others = [.. _entries.Values.Where(e => e.State == PresenceState.Alive && e.Mesh == missing.Mesh && e.Relay is null)];
        Random.Shared.Shuffle(others);
        return [.. others.Take(3).Select(e => e.Address)];
    }

    private void Refresh(Entry entry)
    {
        (entry.Heard, entry.HeardAt) = (clock.GetTimestamp(), clock.GetUtcNow());
        if (entry.State == PresenceState.Suspect)
        {
            entry.State = PresenceState.Alive;
            Tell(PresenceKind.Alive, entry, "was heard again");
        }
    }

    private void Join(Entry entry, string reason)
    {
        entry.State = PresenceState.Alive;
        Refresh(entry);
        Tell(PresenceKind.Join, entry, reason);
    }

    private void Leave(Entry entry, string reason)
    {
        entry.State = PresenceState.Gone;
        Tell(PresenceKind.Leave, entry, reason);
    }

    private void Tell(PresenceKind kind, Entry entry, string reason) =>
        _events.Add(new PresenceEvent(++_sequence, kind, entry.Node.Id, clock.GetUtcNow(), reason));

    private static string Name(Identity identity) => $"{identity.Role}/{identity.Kind}/{identity.Instance}";
}
