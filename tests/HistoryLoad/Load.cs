using System.Globalization;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Monitoring.History;
using Bootstrap.Support;

namespace Bootstrap.HistoryLoad;

/// <summary>Boards that measure, and a history that is looked after as the appliance does it.</summary>
/// <param name="count">Of the boards.</param>
internal sealed class Load(HistoryStore store, SettableClock clock, int count)
{
    private const int Queries = 50;

    private readonly List<(NodeId Id, MeasuredBoard Board)> _boards =
        [.. Enumerable.Range(0, count).Select(number => (NodeId.Parse($"10000000{number:x8}"), new MeasuredBoard(number)))];

    private long _hour;

    /// <summary>Milliseconds of the longest transactions.</summary>
    public double LongestFlush { get; private set; }

    public double LongestFold { get; private set; }

    public double LongestSweep { get; private set; }

    /// <summary>Lets all boards tell a minute, and the appliance do what is due then.</summary>
    public void Live(long minute)
    {
        clock.Now = DateTimeOffset.FromUnixTimeSeconds((minute + 1) * 60);
        foreach ((NodeId id, MeasuredBoard board) in _boards)
        {
            if (store.Add(id, board.Next(minute)) is { } refusal)
            {
                throw new InvalidOperationException(refusal);
            }
        }
        LongestFlush = Math.Max(LongestFlush, Milliseconds(store.Flush));
        bool more = true;
        while (more)
        {
            LongestFold = Math.Max(LongestFold, Milliseconds(() => more = store.Fold()));
        }
        if (minute / 60 == _hour)
        {
            return;
        }
        _hour = minute / 60;
        bool isLast = false;
        while (!isLast)
        {
            LongestSweep = Math.Max(LongestSweep, Milliseconds(() => isLast = store.Sweep()));
        }
    }

    /// <summary>Asks for charts: of one metric, 24 hours by the minute and 30 days by the quarter of an hour. Prints the milliseconds of
    /// each chart.</summary>
    public void Query()
    {
        Metric metric = Metrics.Find(Metrics.Busy)!;
        for (int query = 0; query < Queries; query++)
        {
            NodeId node = _boards[query * 7 % count].Id;
            HistoryAnswer? minutes = null, quarters = null;
            double took = Milliseconds(() =>
            {
                minutes = store.Read(node, [metric], clock.Now - HistoryStore.MinutesKept, clock.Now, int.MaxValue);
                quarters = store.Read(node, [metric], clock.Now - HistoryStore.QuartersKept, clock.Now, int.MaxValue);
            });
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"query {took:0.00}\npoints {minutes!.Series[0].Points.Count + quarters!.Series[0].Points.Count}"));
        }
    }

    private static double Milliseconds(Action work)
    {
        long started = TimeProvider.System.GetTimestamp();
        work();
        return TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
    }
}
