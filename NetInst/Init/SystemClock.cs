using Bootstrap.Board;

namespace Bootstrap.Init;

/// <summary>Sets the board's clock.</summary>
internal static class SystemClock
{
    private const int Realtime = 0;

    public static unsafe void Set(DateTimeOffset time)
    {
        long* timespec = stackalloc long[] { time.ToUnixTimeSeconds(), 0 };
        Linux.Check(Linux.SetClock(Realtime, timespec), "setting the clock");
    }
}
