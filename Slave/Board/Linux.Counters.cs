using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board;

/// <summary>Something that the kernel counts (perf_event_open(2)).</summary>
/// <param name="Type">PERF_TYPE_…: 0 is what processors count, 1 what the kernel itself counts.</param>
/// <param name="Event">Of that type.</param>
public readonly record struct PerfEvent(uint Type, ulong Event)
{
    /// <summary>What most processors count.</summary>
    public static readonly PerfEvent Cycles = new(0, 0), Instructions = new(0, 1), CacheMisses = new(0, 3);

    /// <summary>What every kernel counts: nanoseconds on a processor, and faults of pages.</summary>
    public static readonly PerfEvent TaskClock = new(1, 1), PageFaults = new(1, 2);
}

/// <content>Counters of the calling thread.</content>
public static partial class Linux
{
    private const uint EnableCounters = 0x2400, DisableCounters = 0x2401;

    /// <summary>Counters of the calling thread outside the kernel, which count together, and nothing yet.</summary>
    /// <returns>The first of them, which gives the values of all; null: the kernel or the processor has no such counters, or this process
    /// may not use them.</returns>
    internal static SafeFileHandle[]? OpenCounters(params ReadOnlySpan<PerfEvent> events)
    {
        var opened = new List<SafeFileHandle>();
        foreach (PerfEvent wanted in events)
        {
            int counter = OpenCounter(wanted, opened.Count > 0 ? (int)opened[0].DangerousGetHandle() : -1);
            if (counter < 0)
            {
                opened.ForEach(handle => handle.Dispose());
                return null;
            }
            opened.Add(new SafeFileHandle(counter, ownsHandle: true));
        }
        return [.. opened];
    }

    /// <summary>Lets a group of counters count, or not.</summary>
    /// <exception cref="LinuxException">They do not.</exception>
    internal static unsafe void Count(SafeFileHandle first, bool isOn)
    {
        // The first one alone, which the others follow: told to all of a group, Linux 6.18 lets only the first one count again.
        Check(IoCtl((int)first.DangerousGetHandle(), isOn ? EnableCounters : DisableCounters, null), "counting");
    }

    /// <summary>What a group has counted. Where more was to be counted than the processor can at once, it is what it would have
    /// been.</summary>
    internal static unsafe double[] ReadCounters(SafeFileHandle first, int count)
    {
        // How many there are, how long they were wanted, how long they counted, and each.
        const int head = 3;
        ulong* read = stackalloc ulong[head + count];
        Check(Read((int)first.DangerousGetHandle(), (byte*)read, (head + count) * sizeof(ulong)), "reading counters");
        double scale = read[2] == 0 ? 0 : (double)read[1] / read[2];
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = read[head + i] * scale;
        }
        return values;
    }

    private static unsafe int OpenCounter(PerfEvent wanted, int group)
    {
        // struct perf_event_attr of linux/perf_event.h, as it was at first: what follows is 0.
        const int size = 64, sizeAt = 4, eventAt = 8, formatAt = 32, flagsAt = 40;
        const ulong enabled = 1, running = 2, together = 8, disabled = 1, withoutKernel = 1 << 5, withoutHypervisor = 1 << 6;
        const nint closeOnExec = 8;
        Span<byte> attributes = stackalloc byte[size];
        attributes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(attributes, wanted.Type);
        BinaryPrimitives.WriteUInt32LittleEndian(attributes[sizeAt..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(attributes[eventAt..], wanted.Event);
        BinaryPrimitives.WriteUInt64LittleEndian(attributes[formatAt..], enabled | running | together);
        BinaryPrimitives.WriteUInt64LittleEndian(
            attributes[flagsAt..], (group < 0 ? disabled : 0) | withoutKernel | withoutHypervisor);
        fixed (byte* p = attributes)
        {
            return (int)SysCall(IsArm ? 241 : 298, (nint)p, 0, -1, group, closeOnExec);
        }
    }
}
