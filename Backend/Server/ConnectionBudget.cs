using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Bootstrap.Server;

/// <summary>
/// How many connections each door has open. Nobody is turned away: where a door is full, the address that has the most connections on which
/// nobody has
/// shown who he is loses its oldest one, at first of those that ask for nothing. So strangers cost other strangers a little, and nodes and
/// people nothing.
/// </summary>
internal sealed class ConnectionBudget : IConnectionListenerFactory
{
    /// <summary>Descriptors that files, the database and sockets other than these have for themselves, beside those that were open at the
    /// start.</summary>
    private const int Reserve = 64;

    /// <summary>No rack has more nodes than this, each with a link and a few requests beside it.</summary>
    private const int MostPerDoor = 4096, LeastPerDoor = 16;

    private static readonly int s_doors = Enum.GetValues<Door>().Length;

    private readonly IConnectionListenerFactory _transport;
    private readonly int _each;

    private ConnectionBudget(IConnectionListenerFactory transport, int each) => (_transport, _each) = (transport, each);

    /// <summary>For this process, whose soft limit .NET has raised to the hard one (getrlimit(2)).</summary>
    /// <param name="transport">What really listens.</param>
    /// <exception cref="InvalidDataException">The process may have too few descriptors; the message says what to do.</exception>
    public static ConnectionBudget Over(IConnectionListenerFactory transport)
    {
        string limit = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        bool bounded = long.TryParse(limit["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture, out long most);
        int own = Directory.GetFiles("/proc/self/fd").Length + Reserve;
        return !bounded || most >= own + s_doors * LeastPerDoor
            ? new ConnectionBudget(transport, bounded ? (int)Math.Min((most - own) / s_doors, MostPerDoor) : MostPerDoor)
            : throw new InvalidDataException($"this process may have no more than {most} open files, and needs {own + s_doors * LeastPerDoor}: raise the limit, such as by ulimit -n 4096");
    }

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new DoorBudget(await _transport.BindAsync(endpoint, cancellationToken), _each);

    /// <summary>Whoever asks has shown who he is: this connection stays.</summary>
    public static void Prove(HttpContext http)
    {
        if (http.Features.Get<Held>() is { } held)
        {
            held.Proven = true;
        }
    }

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
    private sealed class Held(ConnectionContext connection, IPAddress address)
    {
        public volatile bool Proven;

        public int Asked;

        public IPAddress Address => address;

        public void End() => connection.Abort(new ConnectionAbortedException("others need the room"));
    }

    private sealed class DoorBudget(IConnectionListener listener, int most) : IConnectionListener
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
            var held = new Held(connection, (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None);
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

        /// <summary>The new one itself where everybody else has shown who he is.</summary>
        private Held Choose()
        {
            var strangers = _open.Where(held => !held.Proven).ToList();
            IPAddress greediest = strangers.CountBy(held => held.Address).MaxBy(count => count.Value).Key;
            var theirs = strangers.Where(held => held.Address.Equals(greediest)).ToList();
            return theirs.FirstOrDefault(held => Volatile.Read(ref held.Asked) == 0) ?? theirs[0];
        }
    }
}
