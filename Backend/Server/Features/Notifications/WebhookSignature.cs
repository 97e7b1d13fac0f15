using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Server.Features.Notifications;

/// <summary>Signatures of Standard Webhooks: HMAC-SHA-256 over "id.timestamp.body", so that a receiver knows who sent it, and
/// when.</summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";
    private const int NewKeyBytes = 32;

    /// <summary>A secret that nobody had before.</summary>
    public static string NewSecret() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(NewKeyBytes));

    /// <summary>The key that a secret stands for; null: it is no such secret.</summary>
    public static byte[]? KeyOf(string secret)
    {
        byte[] key = new byte[secret.Length];
        return secret.StartsWith(Prefix, StringComparison.Ordinal)
            && Convert.TryFromBase64String(secret[Prefix.Length..], key, out int length) && length is >= 24 and <= 64
            ? key[..length]
            : null;
    }

    /// <summary>The value of <c>webhook-signature</c>.</summary>
    /// <param name="id">That of <c>webhook-id</c>.</param>
    /// <param name="timestamp">That of <c>webhook-timestamp</c>, Unix seconds.</param>
    public static string Sign(byte[] key, string id, long timestamp, string body) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(key,
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.{body}"))));
}
