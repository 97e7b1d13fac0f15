using Bootstrap.Imaging.Disks;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Store;

/// <summary>What is in use within one chunk's place of an image.</summary>
/// <param name="Index">The place is at this times <see cref="ImageManifest.DefaultChunkSize"/>.</param>
internal sealed record ChunkCell(int Index, List<ChunkRange> Ranges)
{
    /// <summary>Cuts what is used of an image into the cells of its chunks, as far as they are asked for.</summary>
    public static IEnumerable<ChunkCell> Cut(IEnumerable<Extent> used)
    {
        ChunkCell? cell = null;
        foreach (Extent extent in used)
        {
            for (long at = extent.Start; at < extent.End;)
            {
                int index = (int)(at / ImageManifest.DefaultChunkSize);
                int offset = (int)(at % ImageManifest.DefaultChunkSize);
                int length = (int)Math.Min(extent.End - at, ImageManifest.DefaultChunkSize - offset);
                if (cell is not null && cell.Index != index)
                {
                    yield return cell;
                    cell = null;
                }
                cell ??= new ChunkCell(index, []);
                cell.Ranges.Add(new ChunkRange(offset, length));
                at += length;
            }
        }
        if (cell is not null)
        {
            yield return cell;
        }
    }
}
