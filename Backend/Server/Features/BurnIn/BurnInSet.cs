using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Settings;

namespace Bootstrap.Server.Features.BurnIn;

/// <summary>What a board is put through before it counts as fit.</summary>
/// <param name="Name">One of <see cref="Policy.BurnInSets"/>.</param>
/// <param name="Benchmarks">One after the other. Each checks what it computed, wrote or read.</param>
internal sealed record BurnInSet(string Name, IReadOnlyList<BenchmarkParameters> Benchmarks)
{
    /// <summary>Whatever was going on at a board that has just been installed is over by then.</summary>
    private const int Patience = 30 * 60;

    /// <summary>Small enough for a board with 512 MiB that has four processors.</summary>
    private const string Memory = "32MiB";

    private static readonly BurnInSet[] s_all =
    [
        new(Policy.ShortBurnIn,
        [
            Of("card-write", "256MiB"), Of("card-random-read", "256MiB"), Of("memory-bandwidth", Memory, soak: 5 * 60),
            new("sha256", AllCores: true, SoakSeconds: 10 * 60, PatienceSeconds: Patience),
        ]),
        new(Policy.LongBurnIn,
        [
            Of("card-write", "1GiB"), Of("card-random-write", "256MiB"), Of("card-random-read", "1GiB"),
            Of("memory-bandwidth", Memory, soak: 60 * 60),
            new("matrix-float", AllCores: true, SoakSeconds: 2 * 60 * 60, PatienceSeconds: Patience),
        ]),
    ];

    /// <summary>The set of that name; null: there is none.</summary>
    public static BurnInSet? Find(string name) => Array.Find(s_all, set => set.Name == name);

    private static BenchmarkParameters Of(string benchmark, string size, int soak = 0) => new(
        benchmark, new Dictionary<string, string> { ["size"] = size }, AllCores: soak > 0, SoakSeconds: soak, PatienceSeconds: Patience);
}
