using System.Buffers;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// What a sampler reads in Prometheus' text format: under node_exporter's names where it has one for the same thing, else under names that
/// begin with <c>bootstrap_</c>. Both are made of the same counters, so a scrape agrees with the reading before it.
/// </summary>
public static class MetricsText
{
    /// <summary>Of the answer.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes what the sampler last read; before its first reading there is little.</summary>
    public static void Write(StatusSampler sampler, IBufferWriter<byte> output) => sampler.Write(output);
}
