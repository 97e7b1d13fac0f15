using System.Diagnostics;
using System.Globalization;
using Bootstrap.Server.Features.Monitoring.History;

namespace Bootstrap.Server.Tests;

/// <summary>What was kept is there after the process is killed, or was never there.</summary>
public sealed class HistoryCrashTests : HistoryTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_again_and_again_while_it_writes_folds_and_prunes_no_minute_is_lost_that_was_kept()
    {
        const int Boards = 30;
        var random = new Random(7);
        string path = Path + "-of-another";
        for (int run = 0; run < 4; run++)
        {
            using var process = Process.Start(new ProcessStartInfo(
                System.IO.Path.Combine(AppContext.BaseDirectory, "Bootstrap.HistoryLoad"), ["feed", path, $"{Boards}"])
            { RedirectStandardOutput = true })!;
            var kept = new List<long>();
            int wanted = random.Next(70, 200);
            while (await process.StandardOutput.ReadLineAsync(s_end) is { } line)
            {
                kept.Add(long.Parse(line, CultureInfo.InvariantCulture));
                if (kept.Count == wanted)
                {
                    process.Kill(); // SIGKILL, wherever it is; what it has said by then is still read
                }
            }
            await process.WaitForExitAsync(s_end);
            Assert.InRange(kept.Count, wanted, int.MaxValue);

            Clock.Now = DateTimeOffset.FromUnixTimeSeconds((kept[^1] + 1) * 60);
            using HistoryStore after = Open(path);
            for (int board = 0; board < Boards; board++)
            {
                var node = Protocol.Ids.NodeId.Parse($"10000000{board:x8}");
                List<long> there = [.. Read(Protocol.Status.Metrics.Busy, node: node, store: after)
                    .Select(point => point.At / 60_000)];
                Assert.Empty(kept.Where(minute => minute >= Minute - 1440).Except(there));
                // One more may have been written of which it could not tell any more.
                Assert.True(there[^1] <= kept[^1] + 1);
            }
        }
    }

    [Fact]
    public void What_the_file_had_at_any_moment_is_a_history_that_goes_on()
    {
        for (int minute = 0; minute < 130; minute++, Clock.Now += TimeSpan.FromMinutes(1))
        {
            Heat(Minute, 40);
            Store.Flush();
            if (minute % 13 == 0)
            {
                Store.Fold();
            }
            if (minute % 37 == 0)
            {
                // As a killed process leaves it: not closed, its journal beside it.
                string copy = $"{Path}-{minute}";
                File.Copy(Path, copy);
                File.Copy(Path + "-wal", copy + "-wal");
                using HistoryStore after = Open(copy);
                Assert.Equal(minute + 1, Read(store: after).Count);
                Assert.Null(after.Add(Node, Of(Minute + 1, Protocol.Status.Metrics.Temperature, 1, 2, 3)));
                after.Flush();
                Assert.Equal(minute + 2, Read(store: after).Count);
            }
        }
    }
}
