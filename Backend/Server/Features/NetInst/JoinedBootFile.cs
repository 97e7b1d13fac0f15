using Bootstrap.Netboot;

namespace Bootstrap.Server.Features.NetInst;

/// <summary>Files one after the other as one file, each begun on a boundary, with zeros between. Owns its parts.</summary>
internal sealed class JoinedBootFile : BootFile
{
    private readonly BootFile[] _parts;
    private readonly long[] _starts;

    /// <param name="parts">The parts in their order; disposed with this file.</param>
    /// <param name="alignment">What each part begins on a multiple of, and the whole ends on, in bytes.</param>
    /// <param name="leastLength">Zeros follow up to this length.</param>
    public JoinedBootFile(IEnumerable<BootFile> parts, int alignment, long leastLength = 0)
    {
        _parts = [.. parts];
        _starts = new long[_parts.Length];
        for (int i = 0; i < _parts.Length; i++)
        {
            _starts[i] = Length;
            Length = (Length + _parts[i].Length + alignment - 1) / alignment * alignment;
        }
        Length = Math.Max(Length, leastLength);
    }

    public override long Length { get; }

    public override int ReadAt(long offset, Span<byte> buffer)
    {
        if (offset >= Length)
        {
            return 0;
        }
        int count = (int)Math.Min(buffer.Length, Length - offset);
        Span<byte> wanted = buffer[..count];
        // The part in which the offset lies, or behind whose end: the last one that begins at or before it.
        int part = Array.BinarySearch(_starts, offset);
        for (part = part >= 0 ? Array.LastIndexOf(_starts, offset) : ~part - 1; wanted.Length > 0; part++)
        {
            long within = offset - _starts[part];
            long end = part + 1 < _starts.Length ? _starts[part + 1] : Length;
            Span<byte> here = wanted[..(int)Math.Min(wanted.Length, end - offset)];
            int read = within < _parts[part].Length
                ? _parts[part].ReadAt(within, here[..(int)Math.Min(here.Length, _parts[part].Length - within)]) : 0;
            if (within + read < Math.Min(_parts[part].Length, within + here.Length))
            {
                throw new IOException("a boot file became shorter while it was read");
            }
            here[read..].Clear();
            wanted = wanted[here.Length..];
            offset += here.Length;
        }
        return count;
    }

    public override void Dispose()
    {
        foreach (BootFile part in _parts)
        {
            part.Dispose();
        }
        base.Dispose();
    }
}
