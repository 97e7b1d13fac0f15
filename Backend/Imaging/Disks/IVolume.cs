namespace Bootstrap.Imaging.Disks;

/// <summary>A file system whose free space can be told from what is in use.</summary>
internal interface IVolume
{
    /// <summary><c>ext4</c> or <c>vfat</c>.</summary>
    string FileSystem { get; }

    string Label { get; }

    /// <summary>Bytes from the start of the volume that belong to it; a partition may be longer.</summary>
    long Length { get; }

    /// <summary>What is in use, as places of the image, in rising order.</summary>
    /// <exception cref="ImageException">While enumerating: the file system's tables are damaged.</exception>
    IEnumerable<Extent> Used();
}
