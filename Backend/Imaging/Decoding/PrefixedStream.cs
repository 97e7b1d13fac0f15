namespace Bootstrap.Imaging.Decoding;

/// <summary>Gives back the bytes that were read to recognise a file, then the rest of it; counts them.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : ForwardStream
{
    private ReadOnlyMemory<byte> _prefix = prefix;

    /// <summary>Bytes that were given.</summary>
    public long Given { get; private set; }

    /// <summary>Somebody has asked for more than there is.</summary>
    public bool HasEnded { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        int count = _prefix.IsEmpty ? rest.Read(buffer) : Math.Min(buffer.Length, _prefix.Length);
        if (!_prefix.IsEmpty)
        {
            _prefix.Span[..count].CopyTo(buffer);
            _prefix = _prefix[count..];
        }
        Given += count;
        HasEnded |= count == 0 && buffer.Length > 0;
        return count;
    }
}
