namespace Bootstrap.Agent.Discovery.HostLists;

/// <summary>The part of a file between two marker lines. The lines are comments in all files that have such parts: hosts(5),
/// ssh_config(5).</summary>
/// <param name="name">Tells the blocks of a file apart.</param>
internal sealed class MarkedBlock(string name)
{
    private readonly string _begin = $"# begin of the list '{name}', which bootstrap-slave writes";
    private readonly string _end = $"# end of the list '{name}'";

    /// <summary>The block's text without its markers; null: the file has no such block.</summary>
    /// <exception cref="IOException">A marker is missing or there twice.</exception>
    public string? Read(string file) => Find(file) is { } at ? file[at.Inner] : null;

    /// <summary>The file with this text in the block; a file without the block gets it at its end. All else stays as it is.</summary>
    /// <exception cref="IOException">A marker is missing or there twice.</exception>
    public string Write(string file, string text)
    {
        string block = $"{_begin}\n{text}{_end}\n";
        if (Find(file) is { } at)
        {
            return file[..at.Outer.Start] + block + file[at.Outer.End..];
        }
        return file + (file.Length == 0 || file.EndsWith('\n') ? "" : "\n") + block;
    }

    private (Range Outer, Range Inner)? Find(string file)
    {
        var markers = new List<(bool IsEnd, int Start, int Next)>();
        for (int start = 0, next; start < file.Length; start = next)
        {
            int end = file.IndexOf('\n', start);
            next = end < 0 ? file.Length : end + 1;
            ReadOnlySpan<char> line = file.AsSpan(start..next).TrimEnd("\r\n");
            if (line.SequenceEqual(_begin) || line.SequenceEqual(_end))
            {
                markers.Add((line.SequenceEqual(_end), start, next));
            }
        }
        return markers switch
        {
            [] => null,
            [(false, var outer, var inner), (true, var innerEnd, var outerEnd)] => (outer..outerEnd, inner..innerEnd),
            _ => throw new IOException(
            $"the marker lines of the list '{name}' are not one begin and one end: put them right, or take them all out"),
        };
    }
}
