using System.Text.Json;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Protocol.Tests;

public sealed class MinuteSummaryTests
{
    [Fact]
    public void A_minute_comes_out_of_JSON_as_it_went_in_and_a_spread_is_three_numbers()
    {
        var minute = new MinuteSummary(29_000_000, new Dictionary<string, Spread>
        {
            [Metrics.Temperature] = new(41.5, 42.25, 44),
            [Metrics.Receive] = new(0, 1e9 / 3, 1.25e8),
        });
        string json = JsonSerializer.Serialize(minute, ProtocolJson.Default.MinuteSummary);
        Assert.StartsWith("{\"minute\":29000000,\"values\":{\"temperature\":[41.5,42.25,44],", json, StringComparison.Ordinal);
        MinuteSummary read = JsonSerializer.Deserialize(json, ProtocolJson.Default.MinuteSummary)!;
        Assert.Equal(minute.Minute, read.Minute);
        Assert.Equal(minute.Values.OrderBy(v => v.Key), read.Values.OrderBy(v => v.Key));
    }

    [Theory]
    [InlineData("[1,2]")]
    [InlineData("[1,2,3,4]")]
    [InlineData("[1,\"NaN\",3]")]
    [InlineData("[1,null,3]")]
    [InlineData("[1,[2],3]")]
    [InlineData("{\"min\":1}")]
    [InlineData("2")]
    [InlineData("null")]
    public void What_is_no_spread_is_refused(string json) => Assert.Throws<JsonException>(() =>
        JsonSerializer.Deserialize("""{"minute":1,"values":{"temperature":""" + json + "}}", ProtocolJson.Default.MinuteSummary));

    [Theory]
    [InlineData("temperature", 1, 2, 3, null)]
    [InlineData("temperature", -1e15, 0, 1e15, null)]
    [InlineData("temperature", 3, 2, 4, "temperature of a minute is malformed: its mean is not between its least and its greatest value.")]
    [InlineData("temperature", 1, 4, 3, "temperature of a minute is malformed: its mean is not between its least and its greatest value.")]
    [InlineData("temperature", 1, double.NaN, 3, "temperature of a minute is malformed: it is not a number.")]
    [InlineData("temperature", double.NegativeInfinity, 2, 3, "temperature of a minute is malformed: it is not a number.")]
    [InlineData("temperature", 1, 2, 1e308, "temperature of a minute is malformed: it is beyond 1e15.")]
    [InlineData("temperature[cpu]", 1, 2, 3, "A metric of a minute is none that has a history.")]
    [InlineData("uptime", 1, 2, 3, "A metric of a minute is none that has a history.")]
    [InlineData("<script>", 1, 2, 3, "A metric of a minute is none that has a history.")]
    public void Only_numbers_in_order_of_metrics_that_are_kept_are_valid(
        string metric, double min, double mean, double max, string? fault) =>
        Assert.Equal(fault, new MinuteSummary(1, new Dictionary<string, Spread> { [metric] = new(min, mean, max) }).Validate());

    [Fact]
    public void A_minute_with_ten_thousand_metrics_is_refused() => Assert.Equal("A minute has at most 16 metrics, not 10000.",
        new MinuteSummary(1, Enumerable.Range(0, 10_000).ToDictionary(n => $"temperature[{n}]", _ => default(Spread))).Validate());
}
