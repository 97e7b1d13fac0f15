using Bootstrap.Protocol.Status;

namespace Bootstrap.HistoryLoad;

/// <summary>
/// What a board might measure, minute by minute: some are idle, some busy, some at their limit; each drifts, follows the time of day, has
/// bursts, and as much noise as a minute of 60 readings leaves. The same number makes the same board.
/// </summary>
public sealed class MeasuredBoard(int number)
{
    private readonly Random _random = new(number);
    private readonly double _busy = (number % 20) switch { < 12 => 3, < 17 => 30, _ => 80 };
    private double _drift, _load, _memory = 20 + (number * 7 % 50), _disk = 30 + (number * 3 % 40), _heat = 45 + (number % 15);

    /// <summary>The next minute.</summary>
    /// <param name="minute">Unix time / 60; it decides on the time of day.</param>
    public MinuteSummary Next(long minute)
    {
        double day = Math.Sin(2 * Math.PI * (minute % 1440) / 1440);
        _drift = (_drift * 0.98) + Normal(0.15 * Math.Sqrt(_busy));
        double busy = Math.Clamp((_busy * (1 + (0.3 * day))) + _drift + Normal(0.12 * Math.Sqrt(_busy)), 0.3, 99.9);
        double most = busy + (Gamma3() * Math.Sqrt(busy)) + (_random.NextDouble() < 0.05 ? _random.NextDouble() * 60 : 0);
        double waits = Math.Min(3, Exponential(0.2) * (1 + (_busy / 20)));
        _load = (_load * 0.7) + (0.3 * ((busy / 25) + Math.Abs(Normal(0.05))));
        _memory = Math.Clamp(_memory + Normal(0.05), 5, 95);
        _disk = Math.Min(99, _disk + 0.0004);
        _heat = (_heat * 0.95) + (0.05 * (48 + (busy * 0.25))) + Normal(0.12);
        bool presses = _random.NextDouble() < 0.02, reads = _random.NextDouble() < 0.3;
        double stalls = Exponential(0.33), read = reads ? Exponential(5000) : 0, write = 20_000 * Math.Exp(Normal(0.4));
        double receive = 8000 * Math.Exp(Normal(0.25) + (0.3 * day)), transmit = 5000 * Math.Exp(Normal(0.2) + (0.3 * day));
        return new MinuteSummary(minute, new Dictionary<string, Spread>
        {
            [Metrics.Busy] = Of(busy - (Math.Abs(1.8 + Normal(0.5)) * Math.Sqrt(busy)), busy, Math.Min(100, most)),
            [Metrics.IoWait] = Of(0, waits, Math.Min(100, waits * Between(5, 20))),
            [Metrics.Clock] = busy < 90 ? Of(600, 600 + (busy * 9), 1500) : Of(1500, 1500, 1500),
            [Metrics.Load1] = Of(_load * 0.8, _load, (_load * 1.25) + Between(0, 0.05)),
            [Metrics.MemoryUsed] = Of(_memory - Math.Abs(Normal(0.1)), _memory, _memory + Math.Abs(Normal(0.2))),
            [Metrics.SwapUsed] = Of(0, 0, 0),
            [Metrics.PressureMemory] = presses ? Of(0, 0.3, 2) : Of(0, 0, 0),
            [Metrics.PressureIo] = stalls > 0.3 ? Of(0, stalls, stalls * 4) : Of(0, 0, 0),
            [Metrics.DiskRead] = Of(0, read, read * Between(10, 60)),
            [Metrics.DiskWrite] = Of(0, write, write * Between(8, 30)),
            [Metrics.FileSystemUsed] = Of(_disk, _disk, _disk),
            [Metrics.Receive] = Of(receive * Between(0.2, 0.4), receive, receive * Between(3, 12)),
            [Metrics.Transmit] = Of(transmit * Between(0.2, 0.5), transmit, transmit * Between(3, 12)),
            [Metrics.Temperature] = Of(_heat - Between(0.3, 1), _heat, _heat + Between(0.3, 1.6)),
            [Metrics.UnderVoltage] = Of(0, 0, 0),
            [Metrics.Throttled] = Of(0, 0, 0),
        });
    }

    private static Spread Of(double min, double mean, double max) => new(Math.Clamp(min, 0, mean), mean, Math.Max(mean, max));

    private double Between(double least, double most) => least + (_random.NextDouble() * (most - least));

    private double Exponential(double mean) => -mean * Math.Log(1 - _random.NextDouble());

    private double Gamma3() => Exponential(1) + Exponential(1) + Exponential(1);

    private double Normal(double deviation) =>
        deviation * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
