namespace Bootstrap.Cli.Fleet;

/// <summary>Takes lines out of a stream with bounded memory.</summary>
internal static class LineReader
{
    /// <summary>A longer line is given in pieces of this size.</summary>
    public const int MaximumLineBytes = 64 << 10;

    /// <summary>Gives each line as soon as it is complete, without its line feed, and at the end what is left.</summary>
    public static async Task ReadAsync(Stream stream, Action<ReadOnlySpan<byte>> line)
    {
        byte[] buffer = new byte[MaximumLineBytes];
        int held = 0;
        while (await stream.ReadAsync(buffer.AsMemory(held)) is > 0 and var read)
        {
            int start = 0, end = held + read;
            // What was held already has no line feed.
            for (int at = held; buffer.AsSpan(at, end - at).IndexOf((byte)'\n') is >= 0 and var length; start = at)
            {
                line(buffer.AsSpan(start, at + length - start));
                at += length + 1;
            }
            held = end - start;
            if (held == buffer.Length)
            {
                line(buffer);
                held = 0;
            }
            else
            {
                buffer.AsSpan(start, held).CopyTo(buffer);
            }
        }
        if (held > 0)
        {
            line(buffer.AsSpan(0, held));
        }
    }
}
