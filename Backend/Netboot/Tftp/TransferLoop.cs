using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Bootstrap.Protocol.Polling;

namespace Bootstrap.Netboot.Tftp;

/// <summary>
/// The one thread on which all transfers run, each until it waits for a packet. A transfer is lockstep: block, acknowledgement, block.
/// Passed from a poll to a pool of threads, each packet would pay for two changes of thread; here it costs a wait, a receive, a read and a
/// send.
/// </summary>
internal sealed class TransferLoop : IDisposable
{
    /// <summary>Bytes of the largest packet that is received: a DATA packet of an upload; what is beyond is cut off.</summary>
    public const int LargestPacket = 2048;

    /// <summary>How often time-outs are looked for.</summary>
    private const int TickMilliseconds = 50;

    private readonly Epoll _epoll = new();
    private readonly TimeProvider _clock;
    private readonly Dictionary<int, TransferPort> _ports = [];
    private readonly Dictionary<int, TransferPort> _strangers = []; // the same, by their other socket
    private readonly List<TransferPort> _late = [];
    private readonly ConcurrentQueue<Action> _entering = new();
    private readonly Thread _thread;
    private volatile bool _cancelled;
    private volatile bool _ended;

    public TransferLoop(TimeProvider clock)
    {
        _clock = clock;
        _thread = new Thread(Run) { IsBackground = true, Name = "TFTP" };
        _thread.Start();
    }

    /// <summary>The packet that a port has just received; valid until its transfer waits again.</summary>
    public byte[] Packet { get; } = new byte[LargestPacket];

    public TimeProvider Clock => _clock;

    /// <summary>Awaited, it continues on the loop's thread, and the port is watched from then on.</summary>
    /// <remarks>
    /// To be awaited by the transfer itself: a method of its own around it may have ended by the time that its caller awaits it, who then
    /// would go on where he was.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The service stops.</exception>
    public EntryAwaitable EnterAsync(TransferPort port) => new(this, port);

    /// <summary>Does something on the loop's thread, when what has come so far was heard.</summary>
    public void Post(Action action)
    {
        _entering.Enqueue(action);
        _epoll.Wake();
    }

    /// <summary>Every transfer that waits, or will, ends with an <see cref="OperationCanceledException"/>.</summary>
    public void Cancel()
    {
        _cancelled = true;
        _epoll.Wake();
    }

    /// <summary>Ends the thread; no transfer may be left.</summary>
    public void Dispose()
    {
        if (_ended)
        {
            return;
        }
        _ended = true;
        _epoll.Wake();
        _thread.Join();
        _epoll.Dispose();
    }

    /// <summary>Watches a port no more: the last thing that a transfer does on the loop's thread.</summary>
    public void Remove(TransferPort port)
    {
        port.HasEnded = true;
        if (_ports.Remove(port.Descriptor))
        {
            _strangers.Remove(port.StrangersDescriptor);
            _epoll.Remove(port.Descriptor);
            _epoll.Remove(port.StrangersDescriptor);
        }
    }

    /// <summary>Hears now what has come to a port. On the loop's thread.</summary>
    /// <returns>False: nothing had, or it is not watched (any more).</returns>
    public bool Hear(TransferPort port) => _ports.TryGetValue(port.Descriptor, out TransferPort? watched) && watched == port
        && port.OnReadable();

    public void ThrowIfCancelled()
    {
        if (_cancelled)
        {
            throw new OperationCanceledException();
        }
    }

    private void Run()
    {
        Span<int> ready = stackalloc int[64];
        long lookedAt = _clock.GetTimestamp();
        while (!_ended)
        {
            int count = _epoll.Wait(ready, _ports.Count > 0 ? TickMilliseconds : -1);
            foreach (int descriptor in ready[..count])
            {
                if (_ports.TryGetValue(descriptor, out TransferPort? port))
                {
                    port.OnReadable();
                }
                else if (_strangers.TryGetValue(descriptor, out port))
                {
                    port.RefuseStranger();
                }
            }
            while (_entering.TryDequeue(out Action? enter))
            {
                enter();
            }
            long now = _clock.GetTimestamp();
            if (_cancelled || _clock.GetElapsedTime(lookedAt, now).TotalMilliseconds >= TickMilliseconds)
            {
                lookedAt = now;
                EndLateWaits(now);
            }
        }
    }

    private void EndLateWaits(long now)
    {
        // What is told may remove its port from the table.
        _late.AddRange(_ports.Values.Where(port => _cancelled || port.Deadline <= now));
        foreach (TransferPort port in _late)
        {
            port.OnLate(_cancelled);
        }
        _late.Clear();
    }

    private void Add(TransferPort port)
    {
        ThrowIfCancelled();
        _strangers.Add(port.OpenToStrangers(), port);
        _ports.Add(port.Descriptor, port);
        _epoll.Add(port.Descriptor, port.Descriptor);
        _epoll.Add(port.StrangersDescriptor, port.StrangersDescriptor);
    }

    internal readonly struct EntryAwaitable(TransferLoop loop, TransferPort port) : INotifyCompletion
    {
        public bool IsCompleted => Thread.CurrentThread == loop._thread;

        public EntryAwaitable GetAwaiter() => this;

        public void GetResult() => loop.Add(port);

        public void OnCompleted(Action continuation)
        {
            loop.Post(continuation);
        }
    }
}
