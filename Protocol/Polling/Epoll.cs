using System.Runtime.InteropServices;

namespace Bootstrap.Protocol.Polling;

/// <summary>Waits until one of many sockets can be read (epoll(7), level-triggered), or until it is woken.</summary>
public sealed partial class Epoll : IDisposable
{
    private const int MaxEvents = 256;
    private const int AddDescriptor = 1, DeleteDescriptor = 2;
    private const uint Readable = 1;
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    private const int Interrupted = 4;
    private const int WakeToken = -1;

    // struct epoll_event { uint32_t events; uint64_t data; } is packed on x86-64 alone.
    private static readonly int s_dataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int s_eventSize = s_dataAt + 8;

    private readonly byte[] _events = new byte[MaxEvents * s_eventSize];
    private readonly int _epoll = Check(Create(CloseOnExec));
    private readonly int _wake = Check(CreateEvent(0, CloseOnExec | NonBlocking));

    /// <exception cref="IOException">The process has no file descriptor left.</exception>
    public Epoll() => Add(_wake, WakeToken);

    /// <summary>Watches a socket from now on.</summary>
    /// <param name="descriptor">The socket's.</param>
    /// <param name="token">What tells of it, 0 and up.</param>
    public void Add(int descriptor, int token) => Check(Control(AddDescriptor, descriptor, token));

    /// <summary>Watches it no more; must come before it is closed.</summary>
    public void Remove(int descriptor) => Check(Control(DeleteDescriptor, descriptor, 0));

    /// <summary>Ends a wait, the one under way or the next. May be called by any thread.</summary>
    public void Wake() => Check((int)Write(_wake, 1, sizeof(ulong)));

    /// <summary>Waits.</summary>
    /// <param name="ready">Takes the tokens of those that can be read or have failed; of more, the rest come next time.</param>
    /// <param name="milliseconds">How long at most; −1: for ever.</param>
    /// <returns>The number of tokens.</returns>
    public int Wait(Span<int> ready, int milliseconds)
    {
        int count = Wait(_epoll, ref _events[0], Math.Min(ready.Length, MaxEvents), milliseconds);
        if (count < 0 && Marshal.GetLastPInvokeError() == Interrupted)
        {
            return 0;
        }
        int found = 0;
        for (int i = 0; i < Check(count); i++)
        {
            int token = BitConverter.ToInt32(_events, i * s_eventSize + s_dataAt);
            if (token == WakeToken)
            {
                _ = Read(_wake, out _, sizeof(ulong));
            }
            else
            {
                ready[found++] = token;
            }
        }
        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = Close(_wake);
        _ = Close(_epoll);
    }

    private int Control(int operation, int descriptor, int token)
    {
        Span<byte> change = stackalloc byte[16];
        change.Clear();
        BitConverter.TryWriteBytes(change, Readable);
        BitConverter.TryWriteBytes(change[s_dataAt..], token);
        return Control(_epoll, operation, descriptor, ref change[0]);
    }

    private static int Check(int result) => result >= 0 ? result : throw new IOException($"epoll: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int epoll, int operation, int descriptor, ref byte change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int Wait(int epoll, ref byte events, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int CreateEvent(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, out ulong value, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, in ulong value, nint count);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
