using System.Runtime.InteropServices;

namespace Bootstrap.Board;

/// <content>Threads and processors.</content>
public static partial class Linux
{
    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static unsafe partial int SetAffinity(int thread, nint bytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static unsafe partial int GetAffinity(int thread, nint bytes, ulong* mask);

    private const int MaskWords = 16, WordBits = 64;

    /// <summary>Numbers of the processors that are on and that this thread may run on (sched_getaffinity(2)), from the lowest.</summary>
    /// <exception cref="LinuxException">The kernel does not say.</exception>
    public static unsafe IReadOnlyList<int> Processors()
    {
        ulong* mask = stackalloc ulong[MaskWords];
        if (GetAffinity(0, MaskWords * sizeof(ulong), mask) < 0)
        {
            throw new LinuxException("asking for the processors", Marshal.GetLastPInvokeError());
        }
        var processors = new List<int>();
        for (int i = 0; i < MaskWords * WordBits; i++)
        {
            if ((mask[i / WordBits] >> (i % WordBits) & 1) != 0)
            {
                processors.Add(i);
            }
        }
        return processors;
    }

    /// <summary>Keeps the calling thread on one processor (sched_setaffinity(2)).</summary>
    /// <param name="processor">Its number, from 0.</param>
    /// <exception cref="LinuxException">There is none, or this process may not run there.</exception>
    public static unsafe void StayOn(int processor)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(processor, MaskWords * WordBits);
        ulong* mask = stackalloc ulong[MaskWords];
        mask[processor / WordBits] = 1UL << (processor % WordBits);
        if (SetAffinity(0, MaskWords * sizeof(ulong), mask) != 0)
        {
            throw new LinuxException($"running on processor {processor}", Marshal.GetLastPInvokeError());
        }
    }
}
