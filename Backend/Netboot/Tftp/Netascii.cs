namespace Bootstrap.Netboot.Tftp;

/// <summary>A file as netascii text (RFC 1350 §1, RFC 764): a line feed is sent as CR LF, a carriage return as CR NUL.</summary>
internal sealed class NetasciiEncoder(BootFile file)
{
    private readonly byte[] _source = new byte[4096];
    private int _at;
    private int _end;
    private long _offset;
    private byte? _second;

    /// <summary>Fills the target with what comes next; less only at the end of the file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public int Read(Span<byte> target)
    {
        int written = 0;
        while (written < target.Length)
        {
            if (_second is { } second)
            {
                target[written++] = second;
                _second = null;
                continue;
            }
            if (_at == _end)
            {
                (_at, _end) = (0, file.ReadAt(_offset, _source));
                _offset += _end;
                if (_end == 0)
                {
                    break;
                }
            }
            byte next = _source[_at++];
            _second = next switch { (byte)'\n' => (byte)'\n', (byte)'\r' => 0, _ => null };
            target[written++] = next == '\n' ? (byte)'\r' : next;
        }
        return written;
    }
}

/// <summary>Netascii text as a file has it: CR LF becomes a line feed, CR NUL a carriage return.</summary>
internal sealed class NetasciiDecoder
{
    private bool _afterReturn;

    /// <summary>Decodes a part in place, and returns how many bytes are left of it; a CR at its end waits for the next part; one before
    /// anything else is dropped.</summary>
    public int Decode(Span<byte> text)
    {
        int written = 0;
        for (int i = 0; i < text.Length; i++)
        {
            byte next = text[i];
            if (_afterReturn)
            {
                _afterReturn = false;
                text[written++] = next switch { (byte)'\n' => (byte)'\n', 0 => (byte)'\r', _ => next };
            }
            else if (next == '\r')
            {
                _afterReturn = true;
            }
            else
            {
                text[written++] = next;
            }
        }
        return written;
    }
}
