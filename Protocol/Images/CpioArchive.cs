using System.Globalization;
using System.Text;

namespace Bootstrap.Protocol.Images;

/// <summary>
/// Writes a "newc" cpio archive, the form of a Linux initramfs (kernel documentation, early-userspace/buffer-format). Archives may
/// be joined: the kernel unpacks one after the other. Everything belongs to root, times are zero: same content, same bytes.
/// </summary>
public sealed class CpioArchive
{
    private const uint Directory = 0x4000, RegularFile = 0x8000;

    private readonly MemoryStream _bytes = new();
    private uint _inode;

    /// <summary>Adds a folder; those above it must be there already, from here or from an archive before.</summary>
    /// <param name="path">Without leading slash.</param>
    /// <param name="mode">Permission bits.</param>
    public void AddDirectory(string path, uint mode) => Add(path, Directory | mode, []);

    /// <summary>Adds a file.</summary>
    /// <param name="path">Without leading slash.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="content">What it holds.</param>
    public void AddFile(string path, uint mode, ReadOnlySpan<byte> content) => Add(path, RegularFile | mode, content);

    /// <summary>Ends the archive and gives its bytes, a multiple of 512.</summary>
    public byte[] ToArray()
    {
        Add("TRAILER!!!", 0, []);
        Pad(512);
        return _bytes.ToArray();
    }

    private void Add(string path, uint mode, ReadOnlySpan<byte> content)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        uint links = (mode & Directory) != 0 ? 2u : 1u;
        Span<uint> fields =
        [
            ++_inode, mode, 0, 0, links, 0, (uint)content.Length, 0, 0, 0, 0, (uint)name.Length, 0,
        ];
        _bytes.Write("070701"u8);
        foreach (uint field in fields)
        {
            _bytes.Write(Encoding.ASCII.GetBytes(field.ToString("x8", CultureInfo.InvariantCulture)));
        }
        _bytes.Write(name);
        Pad(4);
        _bytes.Write(content);
        Pad(4);
    }

    private void Pad(int alignment)
    {
        while (_bytes.Length % alignment != 0)
        {
            _bytes.WriteByte(0);
        }
    }
}
