using System.Buffers.Binary;
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

    /// <summary>
    /// 1 GiB: what <c>zstd --long=30</c> needs at either end. Its memory is taken as the window fills, and one image is imported at a time.
    /// </summary>
    private const int MaximumWindowBits = 30;

    /// <summary>Tells the encoding by magic numbers; null where the bytes are no image.</summary>
    public static ImageEncoding? Recognise(ReadOnlySpan<byte> header)
    {
        if (header.StartsWith((ReadOnlySpan<byte>)[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]))
        {
            return ImageEncoding.Xz;
        }
        if (IsZstd(header))
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
        ImageEncoding.Zstd => OpenZstd(file),
        ImageEncoding.Gzip => new GZipStream(file, CompressionMode.Decompress),
        _ => throw new ArgumentOutOfRangeException(nameof(encoding)),
    };

    /// <summary>
    /// A frame, perhaps behind frames that decoders skip (RFC 8878, 3.1.2): those of pzstd, which say how long the next frame is, and
    /// of seekable files. What is skipped beyond the header's bytes is taken for such a one as well.
    /// </summary>
    private static bool IsZstd(ReadOnlySpan<byte> header)
    {
        const uint frame = 0xfd2fb528, skippable = 0x184d2a50, skippableMask = 0xfffffff0;
        while (header.Length >= 8)
        {
            uint magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
            if ((magic & skippableMask) != skippable)
            {
                return magic == frame;
            }
            long skipped = 8 + (long)BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            if (skipped >= header.Length)
            {
                return true;
            }
            header = header[(int)skipped..];
        }
        return false;
    }

    private static ZstdSharp.DecompressionStream OpenZstd(Stream file)
    {
        var stream = new ZstdSharp.DecompressionStream(file, bufferSize: 1 << 20, checkEndOfStream: true);
        stream.SetParameter(ZstdSharp.Unsafe.ZSTD_dParameter.ZSTD_d_windowLogMax, MaximumWindowBits);
        return stream;
    }
}
