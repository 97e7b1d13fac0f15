using System.Net;

namespace Bootstrap.Protocol.Discovery;

/// <summary>At most 10 answers a second to one source address; memory is bounded whatever addresses are made up.</summary>
public sealed class AnswerLimit(TimeProvider clock)
{
    /// <summary>Answers to one source within a second.</summary>
    public const int PerSecond = 10;

    private const int MaximumSources = 4096;

    private readonly Dictionary<IPAddress, int> _answers = [];
    private readonly Lock _lock = new();
    private long _secondStarted = clock.GetTimestamp();

    /// <summary>True if one more answer may go to this source now; it is counted.</summary>
    public bool Allows(IPAddress source)
    {
        lock (_lock)
        {
            if (clock.GetElapsedTime(_secondStarted) >= TimeSpan.FromSeconds(1))
            {
                _answers.Clear();
                _secondStarted = clock.GetTimestamp();
            }
            int count = _answers.GetValueOrDefault(source);
            if (count >= PerSecond || (count == 0 && _answers.Count >= MaximumSources))
            {
                return false;
            }
            _answers[source] = count + 1;
            return true;
        }
    }
}
