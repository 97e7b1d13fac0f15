using System.IO.Compression;

namespace Bootstrap.Imaging.Decoding;

/// <summary>How an image file is wrapped; told by its first bytes, never by its name.</summary>
public enum ImageEncoding
{
    /// <summary>A raw disk image: a boot sector with its 55 AA signature.</summary>
    Raw,
    Xz,
    Zstd,
    Gzip,
}

/// <summary>Opens image files of every kind that is understood, as streams of raw disk bytes.</summary>
public static class ImageDecoder
{
    /// <summary>Bytes from the start of a file that <see cref="Recognise"/> needs.</summary>
    public const int HeaderBytes = 512;

    /// <summary>Tells the encoding by magic numbers; null where the bytes are no image.</summary>
    public static ImageEncoding? Recognise(ReadOnlySpan<byte> header)
    {
        if (header.StartsWith((ReadOnlySpan<byte>)[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]))
        {
            return ImageEncoding.Xz;
        }
        if (header.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]))
        {
            return ImageEncoding.Zstd;
        }
        if (header.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
        {
            return ImageEncoding.Gzip;
        }
        return header.Length >= HeaderBytes && header[510] == 0x55 && header[511] == 0xaa ? ImageEncoding.Raw : null;
    }

    /// <summary>
    /// Decodes a stream. Whoever reads gets an <see cref="InvalidDataException"/> or <see cref="EndOfStreamException"/> where the
    /// data is damaged or ends too early, never a short result without a word.
    /// </summary>
    public static Stream Open(Stream file, ImageEncoding encoding) => encoding switch
    {
        ImageEncoding.Raw => file,
        ImageEncoding.Xz => new XzStream(file),
        ImageEncoding.Zstd => new ZstdSharp.DecompressionStream(file, bufferSize: 1 << 20, checkEndOfStream: true),
        ImageEncoding.Gzip => new GZipStream(file, CompressionMode.Decompress),
        _ => throw new ArgumentOutOfRangeException(nameof(encoding)),
    };
}
