using System.Threading.RateLimiting;
using Bootstrap.Protocol;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>
/// People hear of boards that ask to be admitted, and read in the audit log who claimed to be a node of theirs. Each has a budget of its
/// own, which a
/// stranger can use up and nothing else with it: the list of unapproved boards always tells.
/// </summary>
internal sealed class StrangerNotices(Database database, AuditLog audit, TimeProvider clock) : IDisposable
{
    /// <summary>Notices, and lines of the audit log, at once and in each hour.</summary>
    public const int Budget = 20;

    private readonly RateLimiter _notices = Limiter(), _claims = Limiter();

    /// <summary>A board asks for the first time.</summary>
    /// <param name="claims">It says that it is a node which has another key.</param>
    public void Note(UnapprovedBoard board, bool claims)
    {
        using RateLimitLease notice = _notices.AttemptAcquire();
        if (notice.IsAcquired)
        {
            Inventory inventory = board.Inventory;
            string text = claims
                ? $"a board with another key says that it is {board.Id} and waits for approval: {inventory.Model}, at {board.Address}"
                : $"a new board waits for approval: {board.Id} ({inventory.Model}), at {board.Address}";
            database.Write(c =>
                Outbox.Add(c, NoticeKind.NewBoard, board.Id.ToString(), clock.GetUtcNow().ToUnixTimeMilliseconds(), text));
        }
        if (claims)
        {
            using RateLimitLease line = _claims.AttemptAcquire();
            if (line.IsAcquired)
            {
                audit.Add("", "Claim a node with another key", $"{board.Id}: key {board.Key} at {board.Address}", "it waits for approval");
            }
        }
    }

    public void Dispose()
    {
        _notices.Dispose();
        _claims.Dispose();
    }

    private static TokenBucketRateLimiter Limiter() => new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = Budget,
        TokensPerPeriod = 1,
        ReplenishmentPeriod = TimeSpan.FromHours(1) / Budget,
        AutoReplenishment = true,
    });
}
