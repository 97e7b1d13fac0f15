namespace Bootstrap.Imaging.Disks;

/// <summary>Some consecutive bytes of a disk.</summary>
public readonly record struct Extent(long Start, long Length)
{
    public long End => Start + Length;
}

/// <summary>Sequences of extents in rising order.</summary>
public static class Extents
{
    /// <summary>Melts neighbours into one, counts what overlaps once, and drops what is empty.</summary>
    /// <exception cref="ArgumentException">One begins before the one that came before it.</exception>
    public static IEnumerable<Extent> Melt(this IEnumerable<Extent> extents)
    {
        Extent current = default;
        foreach (Extent next in extents.Where(e => e.Length > 0))
        {
            if (next.Start < current.Start)
            {
                throw new ArgumentException("extents come in rising order", nameof(extents));
            }
            if (current.Length == 0)
            {
                current = next;
            }
            else if (next.Start <= current.End)
            {
                current = current with { Length = Math.Max(current.End, next.End) - current.Start };
            }
            else
            {
                yield return current;
                current = next;
            }
        }
        if (current.Length > 0)
        {
            yield return current;
        }
    }
}
