using System.Net.Sockets;

namespace Bootstrap.Protocol.Polling;

/// <summary>
/// One thread that hears many UDP sockets. A thousand nodes beat a hundred times a second, and what is done for a beat is little: passed
/// from a poll to a pool of threads, most of the time would go into waking them.
/// </summary>
public sealed class DatagramPoller
{
    private readonly Epoll _epoll = new();
    private readonly Dictionary<int, Watched> _watched = [];
    private readonly Lock _lock = new();
    private int _lastToken;

    private DatagramPoller() => new Thread(Run) { IsBackground = true, Name = "datagrams" }.Start();

    /// <summary>The process' only one; it ends with the process.</summary>
    public static DatagramPoller Shared { get; } = new();

    /// <summary>Receives one datagram of a socket that has one.</summary>
    /// <returns>False if the socket is of no use any more: it is watched no longer.</returns>
    public delegate bool Receive(Socket socket);

    /// <summary>Watches a socket until what is returned is disposed of, which comes before the socket is closed.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="receive">Called on the poller's thread, which it must not hold up.</param>
    /// <exception cref="IOException">The kernel cannot watch more.</exception>
    public IDisposable Watch(Socket socket, Receive receive)
    {
        lock (_lock)
        {
            // A token of its own: a descriptor may be another socket's by the time that the thread comes to it.
            var watched = new Watched(this, ++_lastToken, socket, receive);
            _watched.Add(watched.Token, watched);
            _epoll.Add((int)socket.Handle, watched.Token);
            return watched;
        }
    }

    private void Run()
    {
        Span<int> ready = stackalloc int[64];
        while (true)
        {
            foreach (int token in ready[.._epoll.Wait(ready, -1)])
            {
                Watched? watched;
                lock (_lock)
                {
                    watched = _watched.GetValueOrDefault(token);
                }
                if (watched?.Receive(watched.Socket) == false)
                {
                    watched.Dispose();
                }
            }
        }
    }

    private sealed record Watched(DatagramPoller Poller, int Token, Socket Socket, Receive Receive) : IDisposable
    {
        public void Dispose()
        {
            lock (Poller._lock)
            {
                if (Poller._watched.Remove(Token))
                {
                    Poller._epoll.Remove((int)Socket.Handle);
                }
            }
        }
    }
}
