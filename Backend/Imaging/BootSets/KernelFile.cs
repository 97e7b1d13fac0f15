using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Bootstrap.Imaging.BootSets;

/// <summary>What a kernel's file tells of itself.</summary>
internal static class KernelFile
{
    /// <summary>A kernel unpacks itself to a few dozen MB; more is no kernel.</summary>
    private const int MaximumBytes = 256 << 20, PieceBytes = 1 << 20;

    /// <summary>
    /// The version of an arm64 kernel, plain or within gzip: "6.6.51+rpt-rpi-v8". Null for any other file. The magic is at byte 56
    /// (kernel documentation, arch/arm64/booting); the version is in the banner that the kernel prints first.
    /// </summary>
    /// <exception cref="ImageException">It is a kernel and is damaged.</exception>
    public static string? FindArm64Version(Stream file)
    {
        Stream plain = file;
        if (file.ReadByte() == 0x1f && file.ReadByte() == 0x8b)
        {
            plain = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
        }
        file.Position = 0;
        try
        {
            byte[] header = new byte[64];
            return plain.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length &&
                BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(56)) == 0x644d5241
                ? FindBanner(plain)
                : null;
        }
        catch (InvalidDataException e)
        {
            throw new ImageException($"a kernel of the image is damaged: {e.Message}", e);
        }
    }

    private static string? FindBanner(Stream kernel)
    {
        ReadOnlySpan<byte> banner = "Linux version "u8;
        const int LongestVersion = 65; // utsname.release
        byte[] buffer = new byte[PieceBytes];
        int kept = 0;
        for (long total = 0; total < MaximumBytes;)
        {
            int read = kernel.ReadAtLeast(buffer.AsSpan(kept), buffer.Length - kept, throwOnEndOfStream: false);
            ReadOnlySpan<byte> piece = buffer.AsSpan(0, kept + read);
            for (int at = 0; piece[at..].IndexOf(banner) is >= 0 and var found;)
            {
                at += found + banner.Length;
                ReadOnlySpan<byte> rest = piece[at..Math.Min(at + LongestVersion, piece.Length)];
                // Once in the banner, and once in a format string, "Linux version %s".
                if (rest.IndexOf((byte)' ') is > 0 and var end && char.IsAsciiDigit((char)rest[0]) && !rest[..end].Contains((byte)'/'))
                {
                    return Encoding.ASCII.GetString(rest[..end]);
                }
            }
            if (read < buffer.Length - kept)
            {
                return null;
            }
            total += read;
            kept = banner.Length + LongestVersion;
            piece[^kept..].CopyTo(buffer);
        }
        return null;
    }
}
