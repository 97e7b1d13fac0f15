namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// CRC-32 of either polynomial, reflected, with all bits set at the start and inverted at the end: as in gzip (ISO 3309, ITU-T V.42) and
/// iSCSI (RFC 3720, Castagnoli).
/// </summary>
internal sealed class Crc32
{
    /// <summary>Polynomials, x^0 at the top bit.</summary>
    public const uint Iso = 0xEDB88320, Castagnoli = 0x82F63B78;

    private const int Slices = 8;

    private readonly uint _polynomial;
    private readonly uint[] _table = new uint[Slices << 8];
    private readonly Crc32Folding _folding;
    private readonly Crc32Instruction _instruction;

    public Crc32(uint polynomial)
    {
        _polynomial = polynomial;
        for (uint i = 0; i < 256; i++)
        {
            _table[i] = AppendBit(i, 8);
        }
        for (int i = 256; i < _table.Length; i++)
        {
            _table[i] = (_table[i - 256] >> 8) ^ _table[(byte)_table[i - 256]];
        }
        (_folding, _instruction) = (new Crc32Folding(PowerOfX), new Crc32Instruction(polynomial, PowerOfX));
    }

    /// <summary>By the fastest way that this processor has.</summary>
    public uint Compute(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        if (Crc32Folding.IsSupported && data.Length >= Crc32Folding.LeastBytes)
        {
            Span<byte> left = stackalloc byte[Crc32Folding.Left];
            int folded = _folding.Fold(crc, data, left);
            crc = Append(0, left);
            data = data[folded..];
        }
        else if (Crc32Instruction.IsSupported)
        {
            int done = _instruction.Append(ref crc, data);
            data = data[done..];
        }
        return ~Append(crc, data);
    }

    /// <summary>By tables, eight bytes at a time (Kounavis and Berry, "Novel Table Lookup-Based Algorithms", 2008).</summary>
    /// <param name="crc">The remainder so far.</param>
    public uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint[] table = _table;
        while (data.Length >= Slices)
        {
            uint low = crc ^ BitConverter.ToUInt32(data), high = BitConverter.ToUInt32(data[4..]);
            crc = table[0x700 | (byte)low] ^ table[0x600 | (byte)(low >> 8)] ^ table[0x500 | (byte)(low >> 16)] ^
                table[0x400 | (low >> 24)] ^ table[0x300 | (byte)high] ^ table[0x200 | (byte)(high >> 8)] ^
                table[0x100 | (byte)(high >> 16)] ^ table[high >> 24];
            data = data[Slices..];
        }
        foreach (byte b in data)
        {
            crc = (crc >> 8) ^ table[(byte)(crc ^ b)];
        }
        return crc;
    }

    /// <summary>Bit by bit, as the definition says.</summary>
    public uint ComputeNaively(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc = AppendBit(crc ^ b, 8);
        }
        return ~crc;
    }

    /// <summary>x^n modulo the polynomial, reflected.</summary>
    private uint PowerOfX(int n) => AppendBit(1u << 31, n);

    /// <summary>The remainder after so many zeros more.</summary>
    private uint AppendBit(uint crc, int zeros)
    {
        for (int i = 0; i < zeros; i++)
        {
            crc = (crc >> 1) ^ ((crc & 1) * _polynomial);
        }
        return crc;
    }
}
