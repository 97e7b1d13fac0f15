using Bootstrap.Board;

namespace Bootstrap.Agent.Slots;

/// <summary>A system on trial that finds no appliance within its time goes back to the old one.</summary>
/// <param name="power">Restarts; an ordinary start is the old system's.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Measures the time.</param>
internal sealed class TrialWatch(ISystemPower power, Action<string> log, TimeProvider clock)
{
    /// <summary>From the Slave's start on.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The appliance has accepted a connection.</summary>
    public void Met() => _met.TrySetResult();

    /// <summary>Waits for the appliance, and restarts the machine where it does not come.</summary>
    /// <param name="stop">The Slave ends.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        Task first = await Task.WhenAny(_met.Task, Task.Delay(Limit, clock, stop)).ConfigureAwait(false);
        if (first == _met.Task || stop.IsCancellationRequested)
        {
            return;
        }
        log($"this system is on trial, and its appliance was not reached within " +
            $"{Limit.TotalMinutes:0} minutes: going back to the one before");
        try
        {
            power.Restart(StagedStart.Restart);
        }
        catch (LinuxException e)
        {
            log($"cannot restart: {e.Message}; the timer of the trial tries it again");
        }
    }
}
