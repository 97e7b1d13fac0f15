namespace Bootstrap.Imaging.Disks;

/// <summary>A file system whose free space can be told from what is in use.</summary>
internal interface IVolume
{
    /// <summary><c>ext4</c> or <c>vfat</c>.</summary>
    string FileSystem { get; }

    string Label { get; }

    /// <summary>Bytes from the start of the volume that belong to it; a partition may be longer.</summary>
    long Length { get; }

    /// <summary>
    /// Why free space cannot be told from what is in use, in words that follow "the file system"; null: it can. Some of it is known
    /// only after all of <see cref="Used"/> was looked at, which is to be asked again then.
    /// </summary>
    string? Doubt { get; }

    /// <summary>What is in use, as places of the image, in rising order; all of it where there is a <see cref="Doubt"/>.</summary>
    /// <exception cref="ImageException">While enumerating: the file system's tables are damaged.</exception>
    IEnumerable<Extent> Used();
}
