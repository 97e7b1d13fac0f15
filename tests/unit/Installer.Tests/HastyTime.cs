namespace Bootstrap.Installer.Tests;

/// <summary>A clock on which short waits (back-off) are over at once and long ones (time-outs) never end.</summary>
public sealed class HastyTime : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime < TimeSpan.FromSeconds(17) ? TimeSpan.Zero : Timeout.InfiniteTimeSpan,
        Timeout.InfiniteTimeSpan);
}
