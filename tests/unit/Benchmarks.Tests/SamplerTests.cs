using Bootstrap.Benchmarks.Measurement;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>Real measurements, short ones.</summary>
public sealed class SamplerTests
{
    private static readonly SamplePlan s_short =
        new(TimeSpan.FromMilliseconds(2), TimeSpan.Zero, 6, 8, 0.01, TimeSpan.FromSeconds(30));

    /// <summary>On a disk: what is in memory can have no card's benchmark.</summary>
    private static readonly string s_folder = AppContext.BaseDirectory;

    /// <summary>Values with which a kind is quick.</summary>
    private static readonly Dictionary<string, string> s_small = new() { ["size"] = "4MiB", ["order"] = "64" };

    public static TheoryData<string> Kinds => [.. BenchmarkKind.All.Select(kind => kind.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Each_kind_is_measured_on_one_processor_and_on_all_and_what_it_computes_is_right(string kind)
    {
        Dictionary<string, string> parameters = s_small.Where(p => BenchmarkKind.Find(kind)!.Parameters.Any(k => k.Name == p.Key))
            .ToDictionary();
        BenchmarkRequest request = BenchmarkRequest.Read(kind, parameters, allCores: false, out _)!;
        await using var other = new TestPeer();
        int told = 0;
        int[][] sets = [[0], [.. Enumerable.Range(0, Environment.ProcessorCount)]];
        foreach (int[] processors in sets)
        {
            Samples samples = new Sampler(request, processors, s_short, s_folder, other.Peer)
                .Run(_ => told++, TestContext.Current.CancellationToken);
            Assert.InRange(samples.Values.Count, s_short.Least, s_short.Most);
            Assert.All(samples.Values, value => Assert.InRange(value, double.Epsilon, double.MaxValue));
            told -= samples.Values.Count;
        }
        Assert.Equal(0, told);
    }

    [Fact]
    public void It_ends_when_it_is_told_to()
    {
        using var stop = new CancellationTokenSource();
        BenchmarkRequest request = BenchmarkRequest.Read("crc32", s_small.Where(p => p.Key == "size").ToDictionary(), false, out _)!;
        int taken = 0;
        var sampler = new Sampler(request, [0], SamplePlan.Soak(TimeSpan.FromHours(1)), s_folder);
        Assert.ThrowsAny<OperationCanceledException>(() => sampler.Run(_ =>
        {
            taken++;
            stop.Cancel();
        }, stop.Token));
        Assert.Equal(1, taken);
    }

    [Fact]
    public void A_processor_that_is_not_there_is_named()
    {
        BenchmarkRequest request = BenchmarkRequest.Read("crc32", new Dictionary<string, string>(), false, out _)!;
        Assert.Contains("processor 900", Assert.ThrowsAny<IOException>(() => new Sampler(request, [0, 900], s_short, s_folder).Run(null,
            TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }
}
