using System.Buffers.Binary;

namespace Bootstrap.Imaging.Decoding;

/// <summary>Files that people take for images, and that are none which can be imported: what they are, and what to do with them.</summary>
internal static class ForeignFile
{
    private const int MaximumLzmaDictionaryBits = 32;

    /// <summary>Where a tar archive says that it is one (POSIX ustar, also GNU's).</summary>
    private const int TarMagic = 257;

    private const string Unpack = "unpack it, and import the .img file that is in it";

    // Magic numbers at the start: PKWARE APPNOTE 4.3.7, bzip2, 7-Zip's 7zFormat.txt, RAR 5, AOSP's sparse_format.h, LZ4 frames, QEMU's
    // qcow2.txt, VMware's virtual disk format 5.0, MS-VHDX 2.2.1, ELF, and HTML that a browser saved in an image's place.
    private static readonly (byte[] Magic, string What, string Advice)[] s_kinds =
    [
        ([0x50, 0x4b, 0x03, 0x04], "a zip archive", Unpack),
        ([0x50, 0x4b, 0x05, 0x06], "an empty zip archive", "download the image again"),
        ("BZh"u8.ToArray(), "a bzip2 file", "unpack it (bunzip2), and import the .img file that comes of it"),
        ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive", Unpack),
        ("Rar!"u8.ToArray(), "a RAR archive", Unpack),
        ([0x3a, 0xff, 0x26, 0xed], "an Android sparse image", "turn it into a raw one (simg2img), and import that"),
        ([0x04, 0x22, 0x4d, 0x18], "an lz4 file", "unpack it (unlz4), and import the .img file that comes of it"),
        ([0x51, 0x46, 0x49, 0xfb], "a QEMU disk (qcow2)", "turn it into a raw one (qemu-img convert -O raw), and import that"),
        ("KDMV"u8.ToArray(), "a VMware disk (vmdk)", "turn it into a raw one (qemu-img convert -O raw), and import that"),
        ("vhdxfile"u8.ToArray(), "a Hyper-V disk (vhdx)", "turn it into a raw one (qemu-img convert -O raw), and import that"),
        ([0x7f, 0x45, 0x4c, 0x46], "a program (ELF)", "choose a disk image"),
        ("<!DOCTYPE"u8.ToArray(), "a web page", "download the image again: the server sent a page in its place"),
        ("<html"u8.ToArray(), "a web page", "download the image again: the server sent a page in its place"),
    ];

    /// <summary>What a file is and what to do with it, in words that follow "the file is"; null: nothing that is known.</summary>
    /// <param name="header">Its first bytes.</param>
    public static string? Describe(ReadOnlySpan<byte> header)
    {
        foreach ((byte[] magic, string what, string advice) in s_kinds)
        {
            if (header.StartsWith(magic))
            {
                return $"{what}: {advice}";
            }
        }
        return header.Length >= TarMagic + 5 && header[TarMagic..].StartsWith("ustar"u8) ? $"a tar archive: {Unpack}"
            : IsLzma(header) ? "an lzma file: unpack it (unlzma), and import the .img file that comes of it"
            : null;
    }

    /// <summary>
    /// .lzma has no magic number (lzma-file-format.txt of XZ Utils): 13 bytes of properties, dictionary size and size, of which encoders
    /// write few values.
    /// </summary>
    private static bool IsLzma(ReadOnlySpan<byte> header)
    {
        if (header.Length < 13 || header[0] >= 9 * 5 * 5)
        {
            return false;
        }
        uint dictionary = BinaryPrimitives.ReadUInt32LittleEndian(header[1..]);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header[5..]);
        const ulong unknown = ulong.MaxValue, plausible = 1UL << 48;
        return IsPowerOrSumOfTwo(dictionary) && (size == unknown || size is > 0 and < plausible);
    }

    /// <summary>2^n or 2^n + 2^(n−1), from 4 KiB on: what the format's own tools take for a dictionary.</summary>
    private static bool IsPowerOrSumOfTwo(uint size)
    {
        for (int bits = 12; bits < MaximumLzmaDictionaryBits; bits++)
        {
            if (size == 1u << bits || size == (1u << bits) + (1u << (bits - 1)))
            {
                return true;
            }
        }
        return false;
    }
}
