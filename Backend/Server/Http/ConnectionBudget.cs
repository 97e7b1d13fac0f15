using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Bootstrap.Server.Http;

/// <summary>
/// How many connections each listener has open. Whoever has shown who he is has a number of his own: beyond it he loses one of his, and
/// nobody else notices. Where a listener is full, the network, and in it the address, that has the most connections on which nobody has
/// shown who he is loses its oldest one, at first of those that ask for nothing. So strangers cost other strangers a little, and nodes
/// and people nothing. A part of each listener is kept for those who have yet to show who they are: who comes late finds it open.
/// </summary>
internal sealed class ConnectionBudget : IConnectionListenerFactory
{
    /// <summary>Descriptors that files, the databases, sockets other than these, and libraries that are loaded when they are first needed
    /// (two each; about thirty until it is ready) have for themselves, beside those that were open at the start. A runtime that cannot
    /// open a library ends the process.</summary>
    private const int Reserve = 256;

    /// <summary>No rack has more nodes than this, each with a link and a few requests beside it.</summary>
    private const int MostPerListener = 4096, LeastPerListener = 16;

    /// <summary>Connections of one node at one listener: a link and a dozen requests beside it are what NetInst and a Slave open at
    /// most.</summary>
    public const int OfNode = 64;

    /// <summary>Connections of one person at one listener, his programs' with them.</summary>
    public const int OfPerson = 256;

    /// <summary>Nobody has more than this part of a listener, where that is less; but for a few, which an installation needs.</summary>
    private const int LargestPart = 4;

    /// <summary>This part of a listener stays with those who have not shown who they are, as long as somebody else has more than a
    /// few.</summary>
    private const int NewcomersPart = 8, Few = 8;

    private static readonly int s_listeners = Enum.GetValues<Listener>().Length;

    private readonly IConnectionListenerFactory _transport;
    private readonly int _each;

    private ConnectionBudget(IConnectionListenerFactory transport, int each) => (_transport, _each) = (transport, each);

    /// <summary>For this process, whose soft limit .NET has raised to the hard one (getrlimit(2)).</summary>
    /// <param name="transport">What really listens.</param>
    /// <exception cref="InvalidDataException">The process may have too few descriptors; the message says what to do.</exception>
    public static ConnectionBudget Over(IConnectionListenerFactory transport)
    {
        string limit = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = limit["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        bool bounded = long.TryParse(soft, CultureInfo.InvariantCulture, out long most);
        int own = Directory.GetFiles("/proc/self/fd").Length + Reserve;
        return !bounded || most >= own + s_listeners * LeastPerListener
            ? new ConnectionBudget(transport, bounded ? (int)Math.Min((most - own) / s_listeners, MostPerListener) : MostPerListener)
            : throw new InvalidDataException(
                $"this process may have no more than {most} open files, and needs {own + s_listeners * LeastPerListener}: "
                + "raise the limit, such as by ulimit -n 4096");
    }

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new ListenerBudget(await _transport.BindAsync(endpoint, cancellationToken), _each);

    /// <summary>Whoever asks has shown who he is: this connection stays, or takes the place of another one of his.</summary>
    /// <param name="who">The node's key, or the person.</param>
    /// <param name="credential">What he has shown: of several that a person has, the one with the most connections gives way.</param>
    /// <param name="most">Connections that he may have.</param>
    public static void Prove(HttpContext http, string who, string credential, int most) =>
        http.Features.Get<Held>()?.Prove(who, credential, most);

    /// <summary>Knows on which connections something is asked.</summary>
    public static async Task AskedAsync(HttpContext http, RequestDelegate next)
    {
        Held? held = http.Features.Get<Held>();
        if (held is null)
        {
            await next(http);
            return;
        }
        Interlocked.Increment(ref held.Asked);
        try
        {
            await next(http);
        }
        finally
        {
            Interlocked.Decrement(ref held.Asked);
        }
    }

    /// <summary>One connection.</summary>
    private sealed class Held(ListenerBudget listener, ConnectionContext connection, IPAddress address)
    {
        /// <summary>Who has shown on it who he is; null: nobody. Under the listener's lock.</summary>
        public string? Who { get; set; }

        public string? Credential { get; set; }

        public int Asked;

        public bool IsIdle => Volatile.Read(ref Asked) == 0;

        public IPAddress Address => address;

        /// <summary>The network that a host has to itself where it likes: 64 bits of an IPv6 address.</summary>
        public string Network { get; } = Sources.HostOf(address);

        public void Prove(string who, string credential, int most) => listener.Prove(this, who, credential, most);

        public void End() => connection.Abort(new ConnectionAbortedException("others need the room"));
    }

    private sealed class ListenerBudget(IConnectionListener listener, int most) : IConnectionListener
    {
        /// <summary>Nobody comes in while those that were ended are still on their way out: who waits in the kernel's queue has no
        /// descriptor yet.</summary>
        private readonly SemaphoreSlim _room = new(most + 1);

        private readonly Lock _lock = new();
        private readonly LinkedList<Held> _open = new(); // the oldest first
        private readonly Dictionary<Held, LinkedListNode<Held>> _places = [];

        public EndPoint EndPoint => listener.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            await _room.WaitAsync(cancellationToken);
            if (await listener.AcceptAsync(cancellationToken) is not { } connection)
            {
                return null;
            }
            var held = new Held(this, connection, (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None);
            connection.Features.Set(held);
            Enter(held);
            connection.ConnectionClosed.Register(() =>
            {
                Leave(held);
                _room.Release();
            });
            return connection;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => listener.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => listener.DisposeAsync();

        public void Prove(Held held, string who, string credential, int limit)
        {
            Held? ended = null;
            lock (_lock)
            {
                if ((held.Who == who && held.Credential == credential) || !_places.ContainsKey(held))
                {
                    return;
                }
                (held.Who, held.Credential) = (who, credential);
                List<Held> his = [.. _open.Where(h => h.Who == who)];
                if (his.Count > Math.Min(limit, Math.Max(most / LargestPart, Few)))
                {
                    ended = OfGreediest(his, h => h.Credential!, newestIfBusy: true);
                    Remove(ended);
                }
            }
            ended?.End();
        }

        private void Enter(Held held)
        {
            Held? ended = null;
            lock (_lock)
            {
                _places.Add(held, _open.AddLast(held));
                if (_open.Count > most)
                {
                    ended = Choose();
                    Remove(ended);
                }
            }
            ended?.End();
        }

        private void Leave(Held held)
        {
            lock (_lock)
            {
                Remove(held);
            }
        }

        private void Remove(Held held)
        {
            if (_places.Remove(held, out LinkedListNode<Held>? place))
            {
                _open.Remove(place);
            }
        }

        private Held Choose()
        {
            ILookup<bool, Held> proven = _open.ToLookup(held => held.Who is not null);
            List<Held> strangers = [.. proven[false]], greediest = [.. Greediest(proven[true], held => held.Who!)];
            return strangers.Count <= most / NewcomersPart && greediest.Count > Few
                ? OfGreediest(greediest, held => held.Credential!, newestIfBusy: true)
                : OfGreediest(Greediest(strangers, held => held.Network), held => held.Address, newestIfBusy: false);
        }

        /// <summary>Of the group with the most connections the oldest idle one; where all are busy, one end of the row.</summary>
        private static Held OfGreediest<T>(IEnumerable<Held> all, Func<Held, T> group, bool newestIfBusy)
            where T : notnull
        {
            IReadOnlyList<Held> theirs = Greediest(all, group);
            return theirs.FirstOrDefault(held => held.IsIdle) ?? theirs[newestIfBusy ? ^1 : 0];
        }

        /// <summary>The connections of the group that has the most of them; of several, the one that came first.</summary>
        private static IReadOnlyList<Held> Greediest<T>(IEnumerable<Held> all, Func<Held, T> group)
            where T : notnull => all.GroupBy(group).MaxBy(g => g.Count())?.ToList() ?? [];
    }
}
