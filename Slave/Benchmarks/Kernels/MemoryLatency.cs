namespace Bootstrap.Benchmarks.Kernels;

/// <summary>How long the processor waits for memory: each access tells where the next one goes, all over a part of memory, one to a cache
/// line.</summary>
internal sealed class MemoryLatency : Kernel
{
    private const int LineBytes = 64, Step = LineBytes / sizeof(int), AtATime = 1 << 16;

    private readonly int[] _next;
    private readonly int _lines;
    private int _at;

    /// <param name="bytes">Of the part of memory.</param>
    public MemoryLatency(long bytes)
    {
        _lines = checked((int)(bytes / LineBytes));
        _next = new int[checked(_lines * Step)];
        // One ring through all lines: Sattolo's algorithm (1986).
        int[] ring = [.. Enumerable.Range(0, _lines)];
        for (int i = _lines - 1; i > 0; i--)
        {
            int other = Random.Shared.Next(i);
            (ring[i], ring[other]) = (ring[other], ring[i]);
        }
        for (int i = 0; i < _lines; i++)
        {
            _next[i * Step] = ring[i] * Step;
        }
    }

    public override double Run(long times)
    {
        int[] next = _next;
        int at = _at;
        for (long i = 0; i < times * AtATime; i++)
        {
            at = next[at];
        }
        _at = at;
        return (double)times * AtATime;
    }

    public override void Verify()
    {
        int at = 0, seen = 0;
        do
        {
            at = _next[at];
            seen++;
        }
        while (at != 0 && seen <= _lines);
        if (seen != _lines)
        {
            throw new WrongResultException($"the ring through {_lines} cache lines is closed after {seen}");
        }
    }
}
