using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board;

/// <summary>What a file is, as statx(2) tells it.</summary>
/// <param name="Mode">Kind and permission bits.</param>
/// <param name="Links">How many names it has.</param>
/// <param name="User">Number of its owner.</param>
/// <param name="Group">Number of its group.</param>
/// <param name="Inode">Of its file system.</param>
/// <param name="Device">Of its file system: another one where something else is mounted.</param>
/// <param name="Length">In bytes.</param>
public readonly record struct FileStatus(uint Mode, uint Links, uint User, uint Group, ulong Inode, ulong Device, long Length)
{
    private const uint KindMask = 0xf000;

    /// <summary>The permission bits, set-user-id and its like among them.</summary>
    public int Permissions => (int)(Mode & 0xfff);

    public bool IsFolder => (Mode & KindMask) == 0x4000;

    public bool IsFile => (Mode & KindMask) == 0x8000;

    public bool IsLink => (Mode & KindMask) == 0xa000;

    public bool IsPipe => (Mode & KindMask) == 0x1000;
}

/// <content>Files with all that the file system knows of them. Paths are taken as they are; a symbolic link at their end is not
/// followed.</content>
public static partial class Linux
{
    public const int ELOOP = 40, ENODATA = 61, EOPNOTSUPP = 95;

    private const int AT_EMPTY_PATH = 0x1000;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint GetUser();

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChOwnAt(int fd, string path, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint ReadLinkAt(int fd, string path, byte* target, nint size);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint ListAttributes(string path, byte* names, nint size);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint GetAttribute(string path, string name, byte* value, nint size);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int SetAttribute(string path, string name, byte* value, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "lremovexattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int DropAttribute(string path, string name);

    /// <summary>What is at a path.</summary>
    /// <exception cref="LinuxException">There is nothing, or it is out of reach.</exception>
    public static FileStatus StatusOf(string path)
    {
        const int noFollow = 0x100;
        return StatusOf(AT_FDCWD, path, noFollow, path);
    }

    /// <summary>What was opened, whatever has become of its name since.</summary>
    /// <param name="name">For the message.</param>
    public static FileStatus StatusOf(SafeFileHandle file, string name) => StatusOf((int)file.DangerousGetHandle(), name);

    /// <summary>The same by its number.</summary>
    internal static FileStatus StatusOf(int fd, string name) => StatusOf(fd, "", AT_EMPTY_PATH, name);

    /// <summary>Gives what is open its owner, a symbolic link too.</summary>
    internal static int OwnOpened(int fd, uint user, uint group) => ChOwnAt(fd, "", user, group, AT_EMPTY_PATH);

    /// <summary>Where a symbolic link leads; null: it is none, or has gone.</summary>
    internal static unsafe string? ReadLinkAt(int folder, string name)
    {
        // PATH_MAX of linux/limits.h.
        const int maximum = 4096;
        byte* target = stackalloc byte[maximum];
        nint length = ReadLinkAt(folder, name, target, maximum);
        return length < 0 ? null : Encoding.UTF8.GetString(target, (int)length);
    }

    /// <summary>Opens a file for reading that is one: no symbolic link, and no pipe that would be waited for.</summary>
    /// <exception cref="LinuxException">It has gone, or is out of reach; <see cref="ELOOP"/>: it is a symbolic link.</exception>
    public static SafeFileHandle OpenFile(string path) =>
        new((nint)Check(Open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0), $"opening {path}"), ownsHandle: true);

    /// <summary>What has a name in an open folder; a symbolic link is itself. Null: nothing.</summary>
    /// <param name="shown">For the message.</param>
    internal static FileStatus? FindStatus(int folder, string name, string shown)
    {
        const int noFollow = 0x100;
        return FindStatus(folder, name, noFollow, shown);
    }

    private static FileStatus StatusOf(int folder, string path, int flags, string name) =>
        FindStatus(folder, path, flags, name) ?? throw new LinuxException($"looking at {name}", ENOENT);

    private static unsafe FileStatus? FindStatus(int folder, string path, int flags, string name)
    {
        // struct statx of statx(2): the same on every architecture.
        const int size = 256, linksAt = 16, userAt = 20, groupAt = 24, modeAt = 28, inodeAt = 32, lengthAt = 40, majorAt = 136,
            minorAt = 140;
        const uint basic = 0x7ff;
        byte* s = stackalloc byte[size];
        if (StatX(folder, path, flags, basic, s) < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            return errno == ENOENT ? null : throw new LinuxException($"looking at {name}", errno);
        }
        return new FileStatus(
            *(ushort*)(s + modeAt), *(uint*)(s + linksAt), *(uint*)(s + userAt), *(uint*)(s + groupAt), *(ulong*)(s + inodeAt),
            (ulong)*(uint*)(s + majorAt) << 32 | *(uint*)(s + minorAt), *(long*)(s + lengthAt));
    }

    /// <summary>All extended attributes, ACLs among them; none where the file system has none.</summary>
    public static unsafe IReadOnlyDictionary<string, byte[]> AttributesOf(string path)
    {
        var attributes = new Dictionary<string, byte[]>();
        byte[] names = Read((buffer, size) => ListAttributes(path, buffer, size), $"listing the attributes of {path}") ?? [];
        foreach (string name in Encoding.UTF8.GetString(names).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Read((buffer, size) => GetAttribute(path, name, buffer, size), $"reading the attribute {name} of {path}") is { } value)
            {
                attributes[name] = value;
            }
        }
        return attributes;
    }

    public static unsafe void SetAttribute(string path, string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* p = value)
        {
            Check(SetAttribute(path, name, p, value.Length, 0), $"setting the attribute {name} of {path}");
        }
    }

    /// <summary>Removes an attribute, if it is there.</summary>
    public static void RemoveAttribute(string path, string name)
    {
        if (DropAttribute(path, name) < 0 && Marshal.GetLastPInvokeError() is not (ENODATA or EOPNOTSUPP) and var errno)
        {
            throw new LinuxException($"removing the attribute {name} of {path}", errno);
        }
    }

    private unsafe delegate nint Reader(byte* buffer, nint size);

    /// <summary>Null: it is not there.</summary>
    private static unsafe byte[]? Read(Reader read, string what)
    {
        // XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h.
        const int maximum = 64 << 10;
        nint length = read(null, 0);
        if (length > 0)
        {
            byte[] buffer = new byte[maximum];
            fixed (byte* p = buffer)
            {
                length = read(p, maximum);
            }
            if (length >= 0)
            {
                return buffer[..(int)length];
            }
        }
        return length == 0 ? [] : Marshal.GetLastPInvokeError() is ENODATA or EOPNOTSUPP ? null
            : throw new LinuxException(what, Marshal.GetLastPInvokeError());
    }
}
