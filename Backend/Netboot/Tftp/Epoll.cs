using System.Runtime.InteropServices;

namespace Bootstrap.Netboot.Tftp;

/// <summary>Waits until one of many sockets can be read (epoll(7), level-triggered), or until it is woken.</summary>
internal sealed partial class Epoll : IDisposable
{
    private const int MaxEvents = 256;
    private const int AddDescriptor = 1, DeleteDescriptor = 2;
    private const uint Readable = 1;
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    private const int Interrupted = 4;

    // struct epoll_event { uint32_t events; uint64_t data; } is packed on x86-64 alone.
    private static readonly int s_dataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int s_eventSize = s_dataAt + 8;

    private readonly byte[] _events = new byte[MaxEvents * s_eventSize];
    private readonly int _epoll = Check(Create(CloseOnExec));
    private readonly int _wake = Check(CreateEvent(0, CloseOnExec | NonBlocking));

    public Epoll() => Add(_wake);

    /// <summary>Watches a socket from now on.</summary>
    public void Add(int descriptor) => Check(Control(AddDescriptor, descriptor));

    /// <summary>Watches it no more; must come before it is closed.</summary>
    public void Remove(int descriptor) => Check(Control(DeleteDescriptor, descriptor));

    /// <summary>Ends a wait, the one under way or the next. May be called by any thread.</summary>
    public void Wake() => Check((int)Write(_wake, 1, sizeof(ulong)));

    /// <summary>Waits.</summary>
    /// <param name="ready">Takes the descriptors that can be read; of more, the rest come next time.</param>
    /// <param name="milliseconds">How long at most; −1: for ever.</param>
    /// <returns>The number of descriptors.</returns>
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
            int descriptor = BitConverter.ToInt32(_events, i * s_eventSize + s_dataAt);
            if (descriptor == _wake)
            {
                _ = Read(_wake, out _, sizeof(ulong));
            }
            else
            {
                ready[found++] = descriptor;
            }
        }
        return found;
    }

    public void Dispose()
    {
        _ = Close(_wake);
        _ = Close(_epoll);
    }

    private int Control(int operation, int descriptor)
    {
        Span<byte> change = stackalloc byte[16];
        change.Clear();
        BitConverter.TryWriteBytes(change, Readable);
        BitConverter.TryWriteBytes(change[s_dataAt..], descriptor);
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
