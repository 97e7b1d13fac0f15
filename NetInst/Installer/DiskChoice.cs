using System.Globalization;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer;

/// <summary>Which disk an image goes to: the named one, else the only one that can be written. Never a guess among several.</summary>
public static class DiskChoice
{
    /// <summary>Images count in sectors of this size.</summary>
    private const int SectorBytes = 512;

    /// <summary>Chooses, or says why not.</summary>
    /// <exception cref="InstallException">There is no such disk, no disk at all, more than one, or the one does not do.</exception>
    public static DiskInfo Choose(IReadOnlyList<DiskInfo> disks, string? named, ImageManifest manifest)
    {
        DiskInfo disk = named is not null ? Named(disks, named) : OnlyOne(disks);
        if (disk.ReadOnly)
        {
            throw new InstallException($"disk {disk.Name} is read-only (a card's lock switch?)");
        }
        if (disk.BlockSize != SectorBytes)
        {
            throw new InstallException(
                $"disk {disk.Name} has blocks of {disk.BlockSize} bytes, the image's partition table counts in {SectorBytes}");
        }
        return disk.SizeBytes >= manifest.SizeBytes ? disk : throw new InstallException(TooSmall(disk.Name, disk.SizeBytes, manifest));
    }

    /// <summary>The sentence about a disk that the image does not fit on.</summary>
    public static string TooSmall(string disk, long size, ImageManifest manifest) =>
        $"disk {disk} is too small: it has {size} bytes, image '{manifest.Name}' needs {manifest.SizeBytes}";

    private static DiskInfo Named(IReadOnlyList<DiskInfo> disks, string name) =>
        disks.FirstOrDefault(d => d.Name == name) ?? throw new InstallException($"there is no disk {name}; this board has {List(disks)}");

    private static DiskInfo OnlyOne(IReadOnlyList<DiskInfo> disks)
    {
        DiskInfo[] writable = [.. disks.Where(d => !d.ReadOnly)];
        return writable switch
        {
            [var only] => only,
            [] when disks.Count == 1 => disks[0],
            [] => throw new InstallException($"there is no disk that can be written; this board has {List(disks)}"),
            _ => throw new InstallException($"there are several disks, name one of them: {List(writable)}"),
        };
    }

    private static string List(IReadOnlyList<DiskInfo> disks) => disks.Count == 0 ? "none" : string.Join(", ", disks.Select(d =>
        string.Create(CultureInfo.InvariantCulture,
        $"{d.Name} ({d.SizeBytes / 1e9:0.0} GB {d.Kind}{(d.Model.Length > 0 ? " " + d.Model : "")}{(d.ReadOnly ? ", read-only" : "")})")));
}
