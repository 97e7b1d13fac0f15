namespace Bootstrap.Protocol.Discovery;

/// <summary>How often nodes tell that they are there, and when they are missed.</summary>
/// <param name="Beat">Between two beats on average; each pause is up to 20 % shorter or longer.</param>
/// <param name="Suspect">After so long without a word a node is asked.</param>
/// <param name="Dead">After so long without a word it is down.</param>
/// <param name="Tick">How often the watcher looks.</param>
/// <param name="Late">A watcher that looks so long after its last look was away itself, and blames nobody.</param>
public sealed record PresenceTiming(TimeSpan Beat, TimeSpan Suspect, TimeSpan Dead, TimeSpan Tick, TimeSpan Late)
{
    /// <summary>A beat every 10 s, asked for after 22 s, down after 32 s.</summary>
    public static PresenceTiming Standard { get; } = new(
        TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(22), TimeSpan.FromSeconds(32), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));

    /// <summary>The standard, so many times as fast.</summary>
    public static PresenceTiming Faster(double times) => new(
        Standard.Beat / times, Standard.Suspect / times, Standard.Dead / times, Standard.Tick / times, Standard.Late / times);
}
