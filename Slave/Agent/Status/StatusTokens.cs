using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Agent.Status;

/// <summary>Which tokens open a connection: each once.</summary>
/// <param name="authority">The appliance's CA, whose key signs them.</param>
/// <param name="node">This node's id.</param>
/// <param name="now">The time by the appliance's clock, as far as it is known.</param>
/// <param name="isRevoked">Whether the appliance has revoked a token that reads metrics; null: none is.</param>
public sealed class StatusTokens(
    X509Certificate2 authority, Func<string> node, Func<DateTimeOffset> now, Predicate<Digest>? isRevoked = null)
{
    /// <summary>Numbers that are remembered; all of them were signed by the appliance. Where there are more, none is taken before one has
    /// ended.</summary>
    public const int MostNumbers = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, long> _used = [];

    /// <summary>Takes a token.</summary>
    /// <param name="text">Anybody's.</param>
    /// <param name="fault">Else why it is none, or none any more.</param>
    /// <returns>Null where there is a fault.</returns>
    public StatusToken? Use(string text, out string? fault)
    {
        DateTimeOffset time = now();
        if (StatusToken.Read(text, authority, node(), time, out fault) is not { } token)
        {
            return null;
        }
        lock (_lock)
        {
            long seconds = time.ToUnixTimeSeconds();
            if (_used.Count >= MostNumbers)
            {
                foreach (Guid ended in _used.Where(number => number.Value <= seconds).Select(number => number.Key).ToList())
                {
                    _used.Remove(ended);
                }
            }
            fault = _used.ContainsKey(token.Number) ? "the token was used before"
                : _used.Count >= MostNumbers ? "too many tokens are in use" : null;
            if (fault is not null)
            {
                return null;
            }
            _used.Add(token.Number, token.Until);
            return token;
        }
    }

    /// <summary>Whether a text lets its holder read the metrics, as often as he likes.</summary>
    public bool MayScrape(string text) => ScrapeToken.Read(text, authority, now(), isRevoked ?? (_ => false)) is not null;

    /// <summary>Whether a token's time is over.</summary>
    public bool IsOver(StatusToken token) => now().ToUnixTimeSeconds() >= token.Until;
}
