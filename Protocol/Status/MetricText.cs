using System.Globalization;

namespace Bootstrap.Protocol.Status;

/// <summary>A metric's value as people read it.</summary>
public static class MetricText
{
    private static readonly string[] s_sizes = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>With its unit: "86.2 °C", "1.5 GB", "yes".</summary>
    public static string Of(MetricUnit unit, double value) => unit switch
    {
        MetricUnit.Flag => value != 0 ? "yes" : "no",
        MetricUnit.Percent => Rounded(value, 1) + " %",
        MetricUnit.Celsius => Rounded(value, 1) + " °C",
        MetricUnit.Bytes => Size(value),
        MetricUnit.BytesPerSecond => Size(value) + "/s",
        MetricUnit.PerSecond => Rounded(value, 1) + "/s",
        MetricUnit.Megahertz => Rounded(value, 0) + " MHz",
        MetricUnit.MegabitsPerSecond => Rounded(value, 0) + " Mbit/s",
        MetricUnit.Seconds => Time(value),
        MetricUnit.Milliseconds => Rounded(value, 1) + " ms",
        MetricUnit.Volts => Rounded(value, 2) + " V",
        MetricUnit.Amperes => Rounded(value, 2) + " A",
        MetricUnit.RevolutionsPerMinute => Rounded(value, 0) + " rpm",
        _ => Rounded(value, 2),
    };

    private static string Rounded(double value, int digits) =>
        Math.Round(value, digits).ToString("0." + new string('#', digits), CultureInfo.InvariantCulture);

    private static string Size(double bytes)
    {
        int size = 0;
        for (; Math.Abs(bytes) >= 1000 && size < s_sizes.Length - 1; size++)
        {
            bytes /= 1000;
        }
        return $"{Rounded(bytes, Math.Abs(bytes) < 10 && size > 0 ? 1 : 0)} {s_sizes[size]}";
    }

    private static string Time(double seconds) => Math.Abs(seconds) switch
    {
        < 60 => Rounded(seconds, 1) + " s",
        < 3600 => Rounded(seconds / 60, 0) + " min",
        < 48 * 3600 => Rounded(seconds / 3600, 1) + " h",
        _ => Rounded(seconds / 86400, 0) + " days",
    };
}
