namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// The time over which answers are spread, so that the asker's receive buffer holds them: a burst of 1,000 answers fits into 4 MiB, while
/// of Linux' default of 212,992 bytes it keeps a third (measured).
/// </summary>
public static class AnswerWindow
{
    private const double ShortestPerAnswer = 0.2, LongestPerAnswer = 1;
    private const double RoomyBuffer = 4 << 20;

    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(4);

    /// <summary>Milliseconds for each answer.</summary>
    /// <param name="receiveBuffer">Bytes that the asking socket really has.</param>
    public static double PerAnswer(int receiveBuffer) =>
        Math.Clamp(ShortestPerAnswer * RoomyBuffer / Math.Max(1, receiveBuffer), ShortestPerAnswer, LongestPerAnswer);

    /// <summary>The window for so many answers.</summary>
    public static TimeSpan For(int answers, double millisecondsPerAnswer)
    {
        TimeSpan window = TimeSpan.FromMilliseconds(answers * millisecondsPerAnswer);
        return window < s_shortest ? s_shortest : window > s_longest ? s_longest : window;
    }
}
