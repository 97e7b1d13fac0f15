using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Ids;

/// <summary>
/// A SHA-256 digest: 32 bytes, written as 64 lower-case hex digits. Images (the digest of their manifest), chunks and
/// programs are named by it.
/// </summary>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 32;

    private readonly ulong _a, _b, _c, _d;

    /// <param name="bytes">At least 32 bytes; the first 32 count.</param>
    public Digest(ReadOnlySpan<byte> bytes)
    {
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The digest of some bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(data, hash);
        return new Digest(hash);
    }

    /// <summary>The digest of all that a hash was fed since it was made or last finished.</summary>
    public static Digest Finish(IncrementalHash sha256)
    {
        Span<byte> hash = stackalloc byte[Size];
        sha256.GetHashAndReset(hash);
        return new Digest(hash);
    }

    /// <summary>Writes 32 bytes.</summary>
    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _a);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[24..], _d);
    }

    /// <summary>Reads 64 hex digits. False for anything else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        Span<byte> bytes = stackalloc byte[Size];
        if (text is not { Length: 2 * Size } ||
            Convert.FromHexString(text, bytes, out _, out int written) != System.Buffers.OperationStatus.Done || written != Size)
        {
            return false;
        }
        digest = new Digest(bytes);
        return true;
    }

    /// <summary>Reads a digest that is known to be good.</summary>
    /// <exception cref="FormatException">The text is not 64 hex digits.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out Digest digest) ? digest : throw new FormatException($"'{text}' is not a SHA-256 digest (64 hex digits)");

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    internal sealed class DigestJsonConverter : JsonConverter<Digest>
    {
        public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out Digest digest) ? digest : throw new JsonException("not a SHA-256 digest");

        public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
