using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Bootstrap.Protocol.Status;

/// <summary>
/// Something that the appliance's CA has signed, as a text that fits into a header: <c>payload.signature</c>, both base64url (RFC 4648, 5)
/// without padding. The signature is ECDSA P-256 with SHA-256, in IEEE P1363 form, over the purpose, a zero and the payload: what is signed
/// for one purpose means nothing for another one.
/// </summary>
internal static class SignedText
{
    /// <summary>A longer text is none.</summary>
    public const int Longest = 1024;

    /// <summary>Makes the text.</summary>
    /// <param name="authority">The CA's key.</param>
    public static string Sign<T>(ReadOnlySpan<byte> purpose, T content, JsonTypeInfo<T> type, ECDsa authority)
    {
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(content, type);
        byte[] signature = authority.SignData((byte[])[.. purpose, 0, .. payload], HashAlgorithmName.SHA256);
        return $"{Base64Url.EncodeToString(payload)}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>Reads a text that may be anybody's.</summary>
    /// <param name="authority">The appliance's CA certificate.</param>
    /// <returns>Null: it is not what this CA has signed for this purpose.</returns>
    public static T? Open<T>(ReadOnlySpan<byte> purpose, string text, JsonTypeInfo<T> type, X509Certificate2 authority)
        where T : class
    {
        int dot = text.IndexOf('.', StringComparison.Ordinal);
        if (text.Length > Longest || dot < 0 || Decode(text.AsSpan(0, dot)) is not { } payload
            || Decode(text.AsSpan(dot + 1)) is not { } signature)
        {
            return null;
        }
        using ECDsa? key = authority.GetECDsaPublicKey();
        if (key?.VerifyData((byte[])[.. purpose, 0, .. payload], signature, HashAlgorithmName.SHA256) is not true)
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize(payload, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[]? Decode(ReadOnlySpan<char> text)
    {
        if (!Base64Url.IsValid(text))
        {
            return null;
        }
        return Base64Url.DecodeFromChars(text);
    }
}
