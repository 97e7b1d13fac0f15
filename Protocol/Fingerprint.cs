using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bootstrap.Protocol;

/// <summary>SHA-256 of a certificate, as people compare it: 64 hexadecimal digits in groups of four, with colons between them.</summary>
public static class Fingerprint
{
    private const int GroupDigits = 4;

    /// <summary>The fingerprint of a certificate's DER form.</summary>
    public static string Of(X509Certificate2 certificate) => Grouped(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)));

    /// <summary>Reads a whole fingerprint; colons, blanks and case do not matter, so that it may come from openssl or a browser
    /// too.</summary>
    /// <returns>As <see cref="Of"/> gives it; null where it is no whole SHA-256.</returns>
    public static string? TryParse(string text)
    {
        string digits = text.Replace(":", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        return digits.Length == 2 * SHA256.HashSizeInBytes && digits.All(char.IsAsciiHexDigit) ? Grouped(digits) : null;
    }

    private static string Grouped(string digits) => string.Join(':', digits.Chunk(GroupDigits).Select(group => new string(group)));
}
