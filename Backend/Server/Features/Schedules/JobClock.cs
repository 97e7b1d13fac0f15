using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Jobs.Kept;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>Lets the schedules, the engine and what is kept look at the time once a second.</summary>
internal sealed class JobClock(ScheduleRunner schedules, JobEngine engine, KeptArchives kept, DataDisk disk, TimeProvider clock)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                disk.Look();
                disk.Try(schedules.Tick);
                disk.Try(engine.Tick);
                disk.Try(kept.Sweep);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The appliance stops.
        }
    }
}
