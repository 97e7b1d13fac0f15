using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Bootstrap.Board;

/// <summary>
/// The boot variables of UEFI firmware (UEFI specification 2.10, section 3.3) by efivarfs (kernel documentation, filesystems/efivarfs):
/// each is a file whose first four bytes are attributes, and is written by one write.
/// </summary>
/// <param name="folder">Where efivarfs is mounted.</param>
public sealed class EfiVariables(string folder)
{
    public const string Folder = "/sys/firmware/efi/efivars";

    private const string Global = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

    /// <summary>Non-volatile, for boot services and for a running system.</summary>
    private const uint Attributes = 7;

    /// <summary>Numbers of the entries that are tried at a start, the first one first.</summary>
    public IReadOnlyList<ushort> Order
    {
        get
        {
            byte[] order = Read("BootOrder") ?? [];
            return [.. order.Chunk(2).Where(two => two.Length == 2).Select(two => BinaryPrimitives.ReadUInt16LittleEndian(two))];
        }
        set
        {
            if (value.Count == 0)
            {
                // A variable without content is none.
                Delete("BootOrder");
                return;
            }
            byte[] order = new byte[2 * value.Count];
            for (int i = 0; i < value.Count; i++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(order.AsSpan(2 * i), value[i]);
            }
            Write("BootOrder", order);
        }
    }

    /// <summary>The entry of the next start alone; null: none is set. The firmware deletes it before it starts that.</summary>
    public ushort? Next
    {
        get => Read("BootNext") is { Length: 2 } next ? BinaryPrimitives.ReadUInt16LittleEndian(next) : null;
        set
        {
            if (value is not { } number)
            {
                Delete("BootNext");
                return;
            }
            byte[] next = new byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(next, number);
            Write("BootNext", next);
        }
    }

    /// <summary>The number of the entry of a description; null: there is none.</summary>
    public ushort? Find(string description) =>
        Numbers.Where(n => DescriptionOf(Read(Name(n)) ?? []) == description).Select(n => (ushort?)n).FirstOrDefault();

    /// <summary>The number of the entry with just this content, which is written where there is none. One of ours for the same slot is
    /// replaced.</summary>
    /// <param name="entry">EFI_LOAD_OPTION.</param>
    /// <param name="description">Its description: by that an older one is known.</param>
    public ushort Put(byte[] entry, string description)
    {
        ushort number = Find(description) ?? (ushort)Enumerable.Range(0, ushort.MaxValue).First(n => !Numbers.Contains((ushort)n));
        if (Read(Name(number)) is not { } there || !there.AsSpan().SequenceEqual(entry))
        {
            Write(Name(number), entry);
        }
        return number;
    }

    /// <summary>Deletes the entry of a description, and its places in what is started next and always.</summary>
    /// <returns>False: there is none.</returns>
    public bool Remove(string description)
    {
        if (Find(description) is not { } number)
        {
            return false;
        }
        // These first: they must not name what there is not.
        if (Next == number)
        {
            Next = null;
        }
        if (Order.Contains(number))
        {
            Order = [.. Order.Where(n => n != number)];
        }
        Delete(Name(number));
        return true;
    }

    /// <summary>The entry starts something from the network: its device path has a network card's address (UEFI specification 2.10, section
    /// 10.3.4.11).</summary>
    public bool IsNetwork(ushort number) => DevicePathOf(Read(Name(number)) ?? []).Any(node => node is { Type: 3, SubType: 11 });

    /// <summary>Reads a variable without its attributes; null where it is not set.</summary>
    public byte[]? Read(string name)
    {
        string file = FileOf(name);
        return File.Exists(file) ? File.ReadAllBytes(file)[sizeof(uint)..] : null;
    }

    private ushort[] Numbers =>
        [.. Directory.EnumerateFiles(folder, $"Boot????-{Global}").Select(file => Path.GetFileName(file).AsSpan(4, 4).ToString())
        .Where(text => text.All(char.IsAsciiHexDigit))
            .Select(text => ushort.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).Order()];

    private static string Name(ushort number) => $"Boot{number:X4}";

    private string FileOf(string name) => Path.Combine(folder, $"{name}-{Global}");

    private void Write(string name, byte[] value)
    {
        string file = FileOf(name);
        byte[] content = new byte[sizeof(uint) + value.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Attributes);
        value.CopyTo(content, sizeof(uint));
        MakeMutable(file);
        try
        {
            using var stream = new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
            stream.Write(content);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"writing the firmware's variable {name}: {e.Message}", e);
        }
        if (!Read(name).AsSpan().SequenceEqual(value))
        {
            throw new IOException($"the firmware has not kept its variable {name} as it was written");
        }
    }

    private void Delete(string name)
    {
        string file = FileOf(name);
        MakeMutable(file);
        try
        {
            File.Delete(file);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"deleting the firmware's variable {name}: {e.Message}", e);
        }
    }

    /// <summary>efivarfs keeps variables from being deleted by accident: its files are immutable until somebody says otherwise.</summary>
    private static unsafe void MakeMutable(string file)
    {
        // linux/fs.h: FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL.
        const nuint getFlags = 0x80086601, setFlags = 0x40086602;
        const int immutable = 0x10;
        if (!File.Exists(file))
        {
            return;
        }
        int fd = (int)Linux.Check(Linux.Open(file, Linux.O_RDONLY | Linux.O_CLOEXEC, 0), $"opening {file}");
        try
        {
            int flags = 0;
            if (Linux.IoCtl(fd, getFlags, &flags) == 0 && (flags & immutable) != 0)
            {
                flags &= ~immutable;
                Linux.Check(Linux.IoCtl(fd, setFlags, &flags), $"making {file} writable");
            }
        }
        finally
        {
            _ = Linux.Close(fd);
        }
    }

    /// <summary>After attributes (4 bytes) and the length of the device path (2), UTF-16 up to a zero.</summary>
    private static string DescriptionOf(byte[] entry)
    {
        const int start = 6;
        string text = entry.Length > start ? Encoding.Unicode.GetString(entry.AsSpan(start)) : "";
        int end = text.IndexOf('\0', StringComparison.Ordinal);
        return end < 0 ? text : text[..end];
    }

    /// <summary>The nodes of EFI_LOAD_OPTION's first device path (sections 3.1.3 and 10.2), as far as they are whole.</summary>
    private static IEnumerable<(byte Type, byte SubType)> DevicePathOf(byte[] entry)
    {
        const int head = 4;
        int at = 6 + 2 * (DescriptionOf(entry).Length + 1);
        int end = entry.Length > 6 ? Math.Min(entry.Length, at + BinaryPrimitives.ReadUInt16LittleEndian(entry.AsSpan(4))) : 0;
        while (at + head <= end && entry[at] != 0x7f &&
            BinaryPrimitives.ReadUInt16LittleEndian(entry.AsSpan(at + 2)) is >= head and var length)
        {
            yield return (entry[at], entry[at + 1]);
            at += length;
        }
    }
}
