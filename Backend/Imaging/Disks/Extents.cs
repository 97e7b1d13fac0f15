namespace Bootstrap.Imaging.Disks;

/// <summary>Some consecutive bytes of a disk.</summary>
public readonly record struct Extent(long Start, long Length)
{
    public long End => Start + Length;
}

/// <summary>Collects the used bytes of a disk in rising order; neighbours melt into one.</summary>
public sealed class ExtentList
{
    private readonly List<Extent> _extents = [];

    public IReadOnlyList<Extent> Extents => _extents;

    public long TotalBytes => _extents.Sum(e => e.Length);

    /// <summary>Adds bytes at or behind the end of what was added before; what overlaps is counted once.</summary>
    public void Add(long start, long length)
    {
        if (length <= 0)
        {
            return;
        }
        if (_extents.Count > 0 && start <= _extents[^1].End)
        {
            Extent last = _extents[^1];
            if (start < last.Start)
            {
                throw new ArgumentException("extents are added in rising order", nameof(start));
            }
            _extents[^1] = last with { Length = Math.Max(last.End, start + length) - last.Start };
            return;
        }
        _extents.Add(new Extent(start, length));
    }
}
