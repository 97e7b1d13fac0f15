using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>
/// Brings what nodes measured to the disk, a few times a minute, and folds and prunes what is there. Where the disk is full, or nearly so,
/// history is lost, and nothing else.
/// </summary>
internal sealed class HistoryService(HistoryStore history, NodeDirectory nodes, DataFolder folder, DataDisk disk, TimeProvider clock)
    : BackgroundService
{
    /// <summary>So much at most is lost when the process is killed, of what had come.</summary>
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(15);

    /// <summary>Between two transactions: whoever forgets a node gets his turn.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    /// <summary>The last room of the disk is for what must not be lost.</summary>
    internal const long Reserve = 16 << 20;

    /// <summary>In one period: 1,000 nodes are swept within a quarter of an hour.</summary>
    private const int SweepsInPeriod = 4;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(s_period, clock);
            do
            {
                await TickAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            disk.Try(Flush);
        }
    }

    /// <summary>Does all that is due; as much of it as the disk lets be done.</summary>
    internal async Task TickAsync(CancellationToken cancellation)
    {
        if (!disk.Try(Flush))
        {
            return;
        }
        bool more = true;
        while (disk.Try(() => more = history.Fold()) && more)
        {
            await Task.Delay(s_pause, clock, cancellation);
        }
        for (int sweep = 0; !more && sweep < SweepsInPeriod; sweep++)
        {
            bool isLast = false;
            if (disk.Try(() => isLast = history.Sweep()) && isLast)
            {
                disk.Try(() => history.ForgetOthers(() => nodes.List().Select(node => node.Id).ToHashSet<NodeId>()));
                return;
            }
        }
    }

    private void Flush()
    {
        if (new DriveInfo(folder.FullPath).AvailableFreeSpace < Reserve)
        {
            history.Drop();
            return;
        }
        history.Open();
        history.Flush();
    }
}
