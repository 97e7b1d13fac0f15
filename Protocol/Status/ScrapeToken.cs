using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol.Status;

/// <summary>By this a program such as Prometheus reads the metrics of all nodes, again and again, and nothing else.</summary>
/// <param name="Until">Unix time in seconds, by the appliance's clock.</param>
/// <param name="Holder">What it was made from, for the day on which that ends: a name that says nothing to others.</param>
public sealed record ScrapeToken(long Until, string Holder)
{
    /// <summary>The longest life of one.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(366);

    private static ReadOnlySpan<byte> Purpose => "bootstrap scrape token"u8;

    /// <summary>Among <see cref="Link.RevokedKeys"/>: tokens of this holder are good no more.</summary>
    public Digest Revocation => RevocationOf(Holder);

    /// <summary>The same of any holder.</summary>
    public static Digest RevocationOf(string holder) => Digest.Of(Encoding.UTF8.GetBytes("scrape token of " + holder));

    /// <summary>Makes the token's text.</summary>
    /// <param name="authority">The CA's key.</param>
    public string Sign(ECDsa authority) => SignedText.Sign(Purpose, this, ProtocolJson.Default.ScrapeToken, authority);

    /// <summary>Reads a text that may be anybody's.</summary>
    /// <param name="text">The token's text.</param>
    /// <param name="authority">The appliance's CA certificate.</param>
    /// <param name="now">By the appliance's clock, as far as it is known.</param>
    /// <param name="isRevoked">Whether the appliance has revoked it.</param>
    /// <returns>Null: it is none, or none any more.</returns>
    public static ScrapeToken? Read(string text, X509Certificate2 authority, DateTimeOffset now, Predicate<Digest> isRevoked) =>
        SignedText.Open(Purpose, text, ProtocolJson.Default.ScrapeToken, authority) is { } token
            && now.ToUnixTimeSeconds() is var seconds && seconds < token.Until
            && token.Until - seconds <= Lifetime.TotalSeconds + StatusToken.Lifetime.TotalSeconds && !isRevoked(token.Revocation)
            ? token : null;
}
