using System.Security.Cryptography;
using System.Text;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Monitoring.Status;

/// <summary>
/// Makes the tokens by which people watch nodes, and remembers whose they are as long as one of them is good: when what he is signed in
/// with ends, the nodes hear of it within a second. Those that programs read metrics by live as long as what they were made from, and are
/// remembered over a restart.
/// </summary>
internal sealed class StatusHolders(
    CertificateAuthority authority, AccessTokens access, NodeDirectory nodes, NodeKeys keys, SettingsStore settings, DataDisk disk,
    TimeProvider clock) : BackgroundService
{
    private const string ScrapersKey = "scrapers";

    /// <summary>Programs that read metrics, each by an API token of its own.</summary>
    private const int MostScrapers = 100;

    /// <param name="Credential">That the token was made from.</param>
    /// <param name="Until">Unix seconds.</param>
    private sealed record Scraper(string Credential, long Until);

    /// <summary>A holder's name tells nothing of the secret, and is long enough that no two have the same.</summary>
    private const int HolderDigits = 32;

    private static readonly TimeSpan s_checkInterval = TimeSpan.FromMilliseconds(400);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _until = [];

    /// <summary>Tokens for some nodes, none of which is good for longer than the caller's own credential.</summary>
    public IReadOnlyDictionary<string, string> Create(Caller caller, IEnumerable<NodeId> wanted, out DateTimeOffset until)
    {
        until = clock.GetUtcNow() + StatusToken.Lifetime;
        if (caller.ExpiresAt is { } end && DateTimeOffset.FromUnixTimeMilliseconds(end) is var ends && ends < until)
        {
            until = ends;
        }
        lock (_lock)
        {
            _until[caller.Credential] = until;
        }
        string holder = HolderOf(caller.Credential);
        long seconds = until.ToUnixTimeSeconds();
        return wanted.ToDictionary(node => node.ToString(),
            node => authority.Sign(new StatusToken(node.ToString(), Guid.NewGuid(), seconds, holder)));
    }

    /// <summary>A token by which a program reads the metrics of all nodes as long as the caller's own credential lives, and no
    /// longer.</summary>
    /// <returns>Null: there are too many.</returns>
    public string? CreateScrapeToken(Caller caller, out DateTimeOffset until)
    {
        DateTimeOffset now = clock.GetUtcNow();
        until = now + ScrapeToken.Lifetime;
        if (caller.ExpiresAt is { } end && DateTimeOffset.FromUnixTimeMilliseconds(end) is var ends && ends < until)
        {
            until = ends;
        }
        long seconds = until.ToUnixTimeSeconds();
        lock (_lock)
        {
            Scraper[] others = [.. Scrapers().Where(s => s.Credential != caller.Credential && s.Until > now.ToUnixTimeSeconds())];
            if (others.Length >= MostScrapers)
            {
                return null;
            }
            settings.Set<Scraper[]>(ScrapersKey, [.. others, new Scraper(caller.Credential, seconds)]);
        }
        return authority.Sign(new ScrapeToken(seconds, HolderOf(caller.Credential)));
    }

    private Scraper[] Scrapers() => settings.Get<Scraper[]>(ScrapersKey) ?? [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_checkInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            disk.Try(Check);
            disk.Try(CheckScrapers);
        }
    }

    private void Check()
    {
        string[] holders;
        lock (_lock)
        {
            DateTimeOffset now = clock.GetUtcNow();
            foreach (string over in _until.Where(holder => holder.Value < now).Select(holder => holder.Key).ToList())
            {
                _until.Remove(over);
            }
            holders = [.. _until.Keys];
        }
        if (holders.Length == 0)
        {
            return;
        }
        IReadOnlyDictionary<string, Caller> good = access.Find(holders);
        foreach (string ended in holders.Where(credential => !good.ContainsKey(credential)))
        {
            nodes.Tell(new EndStatus(HolderOf(ended)));
            lock (_lock)
            {
                _until.Remove(ended);
            }
        }
    }

    private void CheckScrapers()
    {
        lock (_lock)
        {
            Scraper[] scrapers = Scrapers();
            IReadOnlyDictionary<string, Caller> good = scrapers.Length == 0 ? new Dictionary<string, Caller>()
                : access.Find([.. scrapers.Select(s => s.Credential)]);
            Scraper[] ended = [.. scrapers.Where(s => !good.ContainsKey(s.Credential))];
            if (ended.Length == 0)
            {
                return;
            }
            keys.Change(c =>
            {
                foreach (Scraper scraper in ended)
                {
                    NodeKeys.Revoke(c, ScrapeToken.RevocationOf(HolderOf(scraper.Credential)), 1000 * scraper.Until);
                }
                return true;
            });
            // Where this is lost, they are revoked once more.
            settings.Set<Scraper[]>(ScrapersKey, [.. scrapers.Except(ended)]);
        }
    }

    private static string HolderOf(string credential) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("status " + credential)))[..HolderDigits];
}
