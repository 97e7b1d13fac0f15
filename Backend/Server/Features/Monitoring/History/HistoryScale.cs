using Bootstrap.Protocol.Status;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>
/// A spread as it is kept: whole steps of its metric's scale. Least and greatest value are told by how many steps they are from the mean:
/// small numbers, of which many are equal.
/// </summary>
/// <param name="Mean">Steps from 0; the step that is nearest.</param>
/// <param name="Below">Steps from the least value up to the mean; never negative.</param>
/// <param name="Above">Steps from the mean up to the greatest; never negative.</param>
internal readonly record struct Cell(long Mean, long Below, long Above);

/// <summary>
/// How finely the numbers of a unit are kept: what a chart cannot show, and a sensor cannot tell, is noise that would be most of the file.
/// <list type="table">
/// <item><term>percent, celsius</term><description>0.1</description></item>
/// <item><term>count, flag (as a share of the time), seconds</term><description>0.01</description></item>
/// <item><term>megahertz, megabits per second</term><description>1</description></item>
/// <item><term>milliseconds</term><description>0.1</description></item>
/// <item><term>volts, amperes</term><description>0.001</description></item>
/// <item><term>revolutions per minute</term><description>10</description></item>
/// <item><term>bytes, and what is counted per second</term><description>2 % of itself, and 20 below 1,000: an error of 1 % at most, over
/// all the powers of ten that a network or a disk goes through; 0 stays 0</description></item>
/// </list>
/// A number is as far from the kept one as half a step. Files are full of these steps: who changes one gives the unit another name.
/// </summary>
internal static class HistoryScale
{
    /// <summary>From here on the steps of bytes grow with the number.</summary>
    private const double Knee = 1000;

    private static readonly double s_growth = Math.Log(1.02);

    /// <summary>A spread in steps.</summary>
    /// <param name="spread">Valid.</param>
    public static Cell ToCell(MetricUnit unit, Spread spread)
    {
        long mean = Steps(unit, spread.Mean);
        return new Cell(mean, mean - Steps(unit, spread.Min), Steps(unit, spread.Max) - mean);
    }

    /// <summary>What a cell stands for; least, mean and greatest are in order.</summary>
    public static Spread ToSpread(MetricUnit unit, Cell cell) =>
        new(Value(unit, cell.Mean - cell.Below), Value(unit, cell.Mean), Value(unit, cell.Mean + cell.Above));

    /// <summary>Several spreads, of times that are equally long, as one.</summary>
    /// <param name="spreads">At least one.</param>
    public static Spread Join(IReadOnlyCollection<Spread> spreads) =>
        new(spreads.Min(s => s.Min), spreads.Average(s => s.Mean), spreads.Max(s => s.Max));

    private static long Steps(MetricUnit unit, double value) => (long)Math.Round(StepOf(unit) is { } step
        ? value / step
        : Math.CopySign(Math.Log(1 + (Math.Abs(value) / Knee)) / s_growth, value));

    private static double Value(MetricUnit unit, long steps) => StepOf(unit) is { } step
        ? (double)(steps * (decimal)step) // 213 steps of 0.1 are 21.3, and not 21.3000000000000007
        : Math.CopySign(Math.Round(Knee * (Math.Exp(Math.Abs(steps) * s_growth) - 1)), steps);

    /// <summary>Null: it grows with the number.</summary>
    private static double? StepOf(MetricUnit unit) => unit switch
    {
        MetricUnit.Percent or MetricUnit.Celsius or MetricUnit.Milliseconds => 0.1,
        MetricUnit.Count or MetricUnit.Flag or MetricUnit.Seconds => 0.01,
        MetricUnit.Megahertz or MetricUnit.MegabitsPerSecond => 1,
        MetricUnit.Volts or MetricUnit.Amperes => 0.001,
        MetricUnit.RevolutionsPerMinute => 10,
        MetricUnit.Bytes or MetricUnit.BytesPerSecond or MetricUnit.PerSecond => null,
        _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, "a unit without a scale"),
    };
}
