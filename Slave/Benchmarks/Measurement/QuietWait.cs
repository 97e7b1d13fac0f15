using System.Globalization;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Benchmarks.Measurement;

/// <summary>A run begins only when the node has nothing else to do.</summary>
/// <param name="read">Reads the node's status; rates are those since the call before.</param>
/// <param name="clock">Times it.</param>
internal sealed class QuietWait(Func<StatusReading> read, TimeProvider clock)
{
    private const double QuietLoad = 0.1, QuietBusy = 2.5;

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1), s_tell = TimeSpan.FromSeconds(30);

    /// <summary>Waits until the load, or the processors, were low for so long.</summary>
    /// <param name="quiet">For so long; none: it is not waited.</param>
    /// <param name="limit">It is not waited for longer.</param>
    /// <param name="tell">Told now and then what keeps the node busy.</param>
    /// <returns>How long it took; null: the node did not become quiet.</returns>
    public async Task<TimeSpan?> RunAsync(TimeSpan quiet, TimeSpan limit, Action<string> tell, CancellationToken cancellation)
    {
        long began = clock.GetTimestamp(), quietSince = began, told = began;
        string last = "";
        read();
        while (clock.GetElapsedTime(quietSince) < quiet)
        {
            await Task.Delay(s_look, clock, cancellation).ConfigureAwait(false);
            StatusReading reading = read();
            double? load = Value(reading, Metrics.Load1), busy = Value(reading, Metrics.Busy);
            if (load < QuietLoad || busy < QuietBusy)
            {
                continue;
            }
            quietSince = clock.GetTimestamp();
            last = string.Create(CultureInfo.InvariantCulture, $"CPU {busy:0.#} % busy, load {load:0.##}");
            if (clock.GetElapsedTime(began) >= limit)
            {
                tell($"the node was not quiet for {limit.TotalMinutes:0.#} minutes: {last}");
                return null;
            }
            if (clock.GetElapsedTime(told) >= s_tell)
            {
                told = clock.GetTimestamp();
                tell($"waiting for the node to be quiet: {last}");
            }
        }
        return clock.GetElapsedTime(began);
    }

    private static double? Value(StatusReading reading, string metric) =>
        reading.Values.TryGetValue(metric, out double value) ? value : null;
}
