using ZstdSharp;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>
/// What one node measured in several equal times one after the other: for each metric a column with a cell for each of them; where the
/// metric was not known the cell is null.
/// </summary>
/// <param name="length">Cells of each column: 60 minutes of an hour, or 96 quarters of a day.</param>
internal sealed class HistoryBlock(int length)
{
    /// <summary>Columns by the file's numbers of metrics.</summary>
    public SortedDictionary<long, Cell?[]> Columns { get; } = [];

    /// <summary>The column of a metric, which is made where there is none.</summary>
    public Cell?[] Column(long metric)
    {
        if (!Columns.TryGetValue(metric, out Cell?[]? column))
        {
            Columns[metric] = column = new Cell?[length];
        }
        return column;
    }

    /// <summary>Puts what was measured at one of its times in place of what was there.</summary>
    public void Set(int at, IEnumerable<(long Metric, Cell Cell)> cells)
    {
        foreach (Cell?[] column in Columns.Values)
        {
            column[at] = null;
        }
        foreach ((long metric, Cell cell) in cells)
        {
            Column(metric)[at] = cell;
        }
    }
}

/// <summary>
/// The bytes of minutes and blocks. A block is column by column: number of the metric, which cells there are (0: as in the column before; 1
/// and a bit for each), the means, each as the difference from the one before, then the distances of the least and of the greatest values;
/// all as variable-length integers (Protocol Buffers, "Base 128 Varints", signed ones zigzag), and the whole as one zstd frame. Measured
/// with 1,000 nodes: 1.1 bytes a number before zstd and 0.6 to 0.7 after it. A frame for each column costs more in tables than it saves;
/// longer blocks save a tenth, and would be written again and again until they are full.
/// </summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed class HistoryCodec : IDisposable
{
    /// <summary>From 12 on it takes longer and saves nothing in blocks of this size.</summary>
    private const int Level = 9;

    /// <summary>No block of ours unpacks to more: 32 columns of 96 cells, each of three numbers of ten bytes.</summary>
    private const int LargestBlock = 128 << 10;

    private readonly Compressor _compressor = new(Level);
    private readonly Decompressor _decompressor = new();

    /// <summary>The bytes of one minute: they are few and wait an hour at most, and are not compressed.</summary>
    public static byte[] EncodeMinute(IReadOnlyCollection<(long Metric, Cell Cell)> cells)
    {
        var writer = new VarintWriter(16 + (cells.Count * 6));
        foreach ((long metric, Cell cell) in cells)
        {
            writer.Write(metric);
            writer.WriteSigned(cell.Mean);
            writer.Write(cell.Below);
            writer.Write(cell.Above);
        }
        return writer.Written.ToArray();
    }

    /// <summary>What is in the bytes of a minute.</summary>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public static List<(long Metric, Cell Cell)> DecodeMinute(ReadOnlySpan<byte> bytes)
    {
        var cells = new List<(long, Cell)>();
        var reader = new VarintReader(bytes);
        while (!reader.AtEnd)
        {
            cells.Add((reader.Read(), new Cell(reader.ReadSigned(), reader.Read(), reader.Read())));
        }
        return cells;
    }

    /// <summary>The bytes of a block.</summary>
    public byte[] Encode(HistoryBlock block)
    {
        var writer = new VarintWriter(4096);
        bool[] before = [];
        foreach ((long metric, Cell?[] column) in block.Columns)
        {
            bool[] there = [.. column.Select(cell => cell is not null)];
            writer.Write(metric);
            bool isNew = !there.AsSpan().SequenceEqual(before);
            writer.Write(isNew ? 1 : 0);
            if (isNew)
            {
                writer.WriteBits(there);
                before = there;
            }
            long last = 0;
            foreach (Cell? cell in column)
            {
                if (cell is { } known)
                {
                    writer.WriteSigned(known.Mean - last);
                    last = known.Mean;
                }
            }
            Array.ForEach(column, cell => WriteIfThere(cell?.Below));
            Array.ForEach(column, cell => WriteIfThere(cell?.Above));
        }
        return _compressor.Wrap(writer.Written).ToArray();

        void WriteIfThere(long? value)
        {
            if (value is { } known)
            {
                writer.Write(known);
            }
        }
    }

    /// <summary>What is in the bytes of a block.</summary>
    /// <param name="length">Cells of each column.</param>
    /// <param name="wanted">Only these metrics; null: all.</param>
    /// <returns>Null: they are damaged, and nothing is known of that time.</returns>
    public HistoryBlock? Decode(byte[] bytes, int length, IReadOnlyCollection<long>? wanted = null)
    {
        try
        {
            var reader = new VarintReader(_decompressor.Unwrap(bytes, LargestBlock));
            var block = new HistoryBlock(length);
            bool[] there = new bool[length];
            int known = 0;
            while (!reader.AtEnd)
            {
                long metric = reader.Read();
                if (reader.Read() != 0)
                {
                    reader.ReadBits(there);
                    known = there.Count(isThere => isThere);
                }
                if (wanted?.Contains(metric) == false)
                {
                    reader.Skip(3 * known);
                    continue;
                }
                ReadColumn(ref reader, there, block.Column(metric));
            }
            return block;
        }
        catch (Exception e) when (e is InvalidDataException or ZstdException)
        {
            return null;
        }
    }

    private static void ReadColumn(ref VarintReader reader, bool[] there, Cell?[] column)
    {
        long last = 0;
        for (int at = 0; at < column.Length; at++)
        {
            column[at] = there[at] ? new Cell(last += reader.ReadSigned(), 0, 0) : null;
        }
        for (int at = 0; at < column.Length; at++)
        {
            column[at] = column[at] is { } cell ? cell with { Below = reader.Read() } : null;
        }
        for (int at = 0; at < column.Length; at++)
        {
            column[at] = column[at] is { } cell ? cell with { Above = reader.Read() } : null;
        }
    }

    public void Dispose()
    {
        _compressor.Dispose();
        _decompressor.Dispose();
    }
}
