using System.Diagnostics;
using System.Numerics;

namespace Bootstrap.Benchmarks.Measurement;

/// <summary>
/// What the processor really runs at, as sbc-bench's mhz does it: a chain of instructions each of which waits for the one before, and takes
/// one cycle on every processor that runs Linux of 64 bits (rotating a register).
/// </summary>
internal static class CycleCounter
{
    private const int Rounds = 1 << 16, PerRound = 32, Tries = 16;

    /// <summary>MHz, on the processor that the calling thread is on. The shortest of several tries: whatever comes between makes one
    /// longer.</summary>
    public static double Measure()
    {
        long shortest = long.MaxValue;
        ulong x = (ulong)Stopwatch.GetTimestamp() | 1;
        for (int i = 0; i < Tries; i++)
        {
            long began = Stopwatch.GetTimestamp();
            x = Turn(x);
            shortest = Math.Min(shortest, Stopwatch.GetTimestamp() - began);
        }
        // Read, so that nothing is left out.
        return x == 0 ? 0 : (double)Rounds * PerRound / Stopwatch.GetElapsedTime(0, shortest).TotalMicroseconds;
    }

    private static ulong Turn(ulong x)
    {
        for (int i = 0; i < Rounds; i++)
        {
            x = Eight(Eight(Eight(Eight(x))));
        }
        return x;

        // By amounts that are no one amount together.
        static ulong Eight(ulong x)
        {
            x = BitOperations.RotateLeft(x, 5);
            x = BitOperations.RotateLeft(x, 9);
            x = BitOperations.RotateLeft(x, 13);
            x = BitOperations.RotateLeft(x, 3);
            x = BitOperations.RotateLeft(x, 7);
            x = BitOperations.RotateLeft(x, 11);
            x = BitOperations.RotateLeft(x, 17);
            return BitOperations.RotateLeft(x, 2);
        }
    }
}
