using System.Buffers;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>Writes integers in seven bits a byte, the lowest first; the top bit of a byte says that another one follows.</summary>
/// <param name="room">Bytes that it begins with; it grows.</param>
internal sealed class VarintWriter(int room)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(room);

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <param name="value">Not negative.</param>
    public void Write(long value)
    {
        Span<byte> target = _bytes.GetSpan(10);
        int count = 0;
        ulong rest = (ulong)value;
        for (; rest > 0x7f; rest >>= 7)
        {
            target[count++] = (byte)(rest | 0x80);
        }
        target[count++] = (byte)rest;
        _bytes.Advance(count);
    }

    /// <summary>Small ones of either sign are short (zigzag).</summary>
    public void WriteSigned(long value) => Write((value << 1) ^ (value >> 63));

    /// <summary>Eight a byte, the first in the lowest bit.</summary>
    public void WriteBits(bool[] bits)
    {
        int count = (bits.Length + 7) / 8;
        Span<byte> target = _bytes.GetSpan(count)[..count];
        target.Clear();
        for (int at = 0; at < bits.Length; at++)
        {
            target[at / 8] |= (byte)(bits[at] ? 1 << (at % 8) : 0);
        }
        _bytes.Advance(count);
    }
}

/// <summary>Reads what <see cref="VarintWriter"/> wrote.</summary>
internal ref struct VarintReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    public readonly bool AtEnd => _at == _bytes.Length;

    /// <exception cref="InvalidDataException">It ends before, or is longer than 64 bits.</exception>
    public long Read()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Next();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return (long)value;
            }
        }
        throw new InvalidDataException("an integer is too long");
    }

    /// <exception cref="InvalidDataException">As <see cref="Read"/>.</exception>
    public long ReadSigned()
    {
        ulong value = (ulong)Read();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <exception cref="InvalidDataException">It ends before.</exception>
    public void ReadBits(bool[] bits)
    {
        byte current = 0;
        for (int at = 0; at < bits.Length; at++)
        {
            current = at % 8 == 0 ? Next() : current;
            bits[at] = (current >> (at % 8) & 1) != 0;
        }
    }

    /// <summary>Leaves integers out.</summary>
    /// <exception cref="InvalidDataException">It ends before.</exception>
    public void Skip(int count)
    {
        while (count > 0)
        {
            count -= Next() < 0x80 ? 1 : 0;
        }
    }

    private byte Next() => _at < _bytes.Length ? _bytes[_at++] : throw new InvalidDataException("it ends in an integer");
}
