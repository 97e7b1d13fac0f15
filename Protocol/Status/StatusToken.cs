using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bootstrap.Protocol.Status;

/// <summary>
/// By this the appliance lets somebody watch one node, without being asked itself: the node knows the appliance's CA and looks at the
/// signature (<see cref="SignedText"/>).
/// </summary>
/// <param name="Node">The id of the one node that it is for.</param>
/// <param name="Number">No two have the same. A token opens one connection: a node refuses the same number again.</param>
/// <param name="Until">Unix time in seconds, by the appliance's clock, after which nothing is told for it.</param>
/// <param name="Holder">Whose it is, for the day on which that one is shut out: a name that says nothing to others.</param>
public sealed record StatusToken(string Node, Guid Number, long Until, string Holder)
{
    /// <summary>The longest life of one.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>A longer text is none.</summary>
    public const int LongestText = SignedText.Longest;

    private static ReadOnlySpan<byte> Purpose => "bootstrap status token"u8;

    /// <summary>Makes the token's text.</summary>
    /// <param name="authority">The CA's key.</param>
    public string Sign(ECDsa authority) => SignedText.Sign(Purpose, this, ProtocolJson.Default.StatusToken, authority);

    /// <summary>Reads a text that may be anybody's.</summary>
    /// <param name="text">The token's text.</param>
    /// <param name="authority">The appliance's CA certificate.</param>
    /// <param name="node">This node's id.</param>
    /// <param name="now">By the appliance's clock, as far as it is known.</param>
    /// <param name="fault">Else the reason, in words.</param>
    /// <returns>Null where there is a fault. Whether its number was seen before is the caller's to know.</returns>
    public static StatusToken? Read(string text, X509Certificate2 authority, string node, DateTimeOffset now, out string? fault)
    {
        StatusToken? token = SignedText.Open(Purpose, text, ProtocolJson.Default.StatusToken, authority);
        long seconds = now.ToUnixTimeSeconds();
        fault = token switch
        {
            null => "the token is not this appliance's",
            _ when token.Node != node => "the token is for another node",
            _ when seconds >= token.Until => "the token's time is over",
            // Clocks differ a little; a node whose own is wrong by more hears the appliance's.
            _ when token.Until - seconds > 2 * Lifetime.TotalSeconds => "the token is good for longer than one may be",
            _ => null,
        };
        return fault is null ? token : null;
    }
}
