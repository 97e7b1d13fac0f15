using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bootstrap.Protocol.Ids;

/// <summary>A 48-bit Ethernet address, written <c>dc:a6:32:01:36:c2</c>.</summary>
/// <param name="Value">The address as a number, first byte on the wire in bits 47–40.</param>
[JsonConverter(typeof(MacAddressJsonConverter))]
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Takes the first six of the bytes, in the order of the wire.</summary>
    public static MacAddress FromBytes(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = 0; i < 6; i++)
        {
            value = value << 8 | bytes[i];
        }
        return new MacAddress(value);
    }

    /// <summary>Writes six bytes in the order of the wire.</summary>
    public void CopyTo(Span<byte> bytes)
    {
        for (int i = 0; i < 6; i++)
        {
            bytes[i] = (byte)(Value >> (40 - 8 * i));
        }
    }

    /// <summary>Reads <c>dc:a6:32:01:36:c2</c> or <c>dc-a6-32-01-36-c2</c> in either case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out MacAddress mac)
    {
        mac = default;
        if (text is not { Length: 17 })
        {
            return false;
        }
        ulong value = 0;
        for (int i = 0; i < 6; i++)
        {
            if (i > 0 && text[3 * i - 1] is not (':' or '-'))
            {
                return false;
            }
            if (!byte.TryParse(text.AsSpan(3 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte b))
            {
                return false;
            }
            value = value << 8 | b;
        }
        mac = new MacAddress(value);
        return true;
    }

    public override string ToString() => ToString(':');

    /// <summary>The address with another separator; a Pi's TFTP prefix of type 2 has <c>-</c>.</summary>
    public string ToString(char separator) => string.Create(17, (Value, separator), static (span, state) =>
    {
        for (int i = 0; i < 6; i++)
        {
            byte b = (byte)(state.Value >> (40 - 8 * i));
            b.TryFormat(span[(3 * i)..], out _, "x2", CultureInfo.InvariantCulture);
            if (i < 5)
            {
                span[3 * i + 2] = state.separator;
            }
        }
    });

    internal sealed class MacAddressJsonConverter : JsonConverter<MacAddress>
    {
        public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out MacAddress mac) ? mac : throw new JsonException("not a MAC address");

        public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
