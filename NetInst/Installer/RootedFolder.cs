using System.Runtime.InteropServices;
using System.Text;
using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <summary>
/// A mounted system's tree. Paths are as that system would see them: "/" is its root, and none of its symbolic links leads
/// out of it (openat2 with RESOLVE_IN_ROOT). Files appear whole or not at all, and nothing is written through a link that others than root
/// could have made (<see cref="HeldFolder"/>): whole homes come from older systems.
/// </summary>
public sealed partial class RootedFolder : IDisposable
{
    private const int MaximumRead = 16 << 20;

    private static readonly int s_folderFlags = Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC;

    private readonly int _root;
    private readonly HeldFolder _tree;

    /// <exception cref="LinuxException">There is no such folder.</exception>
    public RootedFolder(string path)
    {
        _root = (int)Linux.Check(Linux.Open(path, s_folderFlags, 0), $"opening the folder {path}");
        _tree = new HeldFolder(_root, "/");
    }

    /// <summary>True if there is something (a symbolic link is followed).</summary>
    public bool Exists(string path)
    {
        int fd = Linux.OpenInRoot(_root, path, Linux.O_PATH | Linux.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return false;
        }
        _ = Linux.Close(fd);
        return true;
    }

    /// <summary>True if there is a folder of that name.</summary>
    /// <param name="follow">A symbolic link to one counts.</param>
    public bool IsFolder(string path, bool follow)
    {
        int fd = Linux.OpenInRoot(_root, path, follow ? s_folderFlags : s_folderFlags | Linux.O_NOFOLLOW, 0);
        if (fd < 0)
        {
            return false;
        }
        _ = Linux.Close(fd);
        return true;
    }

    /// <summary>The text of a file; null where there is none.</summary>
    public string? ReadText(string path) => Read(path) is var (content, _) ? Encoding.UTF8.GetString(content) : null;

    /// <summary>The content and the permission bits of a file of reasonable size; null where there is none.</summary>
    public (byte[] Content, int Mode)? Read(string path)
    {
        if (IsFolder(path, follow: true))
        {
            throw new IOException($"{path} of the new system is a folder, and ought to be a file");
        }
        // A named pipe in the place of a file is not waited for: it reads as empty.
        int fd = Linux.OpenInRoot(_root, path, Linux.O_RDONLY | Linux.O_NONBLOCK | Linux.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return Marshal.GetLastPInvokeError() == Linux.ENOENT ? null : throw Failure("reading", path);
        }
        using var stream = new FileStream(
            new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true), FileAccess.Read, bufferSize: 0);
        using var content = new MemoryStream();
        byte[] piece = new byte[64 << 10];
        while (stream.Read(piece) is > 0 and int read)
        {
            content.Write(piece, 0, read);
            if (content.Length > MaximumRead)
            {
                throw new IOException($"{path} of the new system is longer than {MaximumRead} bytes: no file that is edited is so long");
            }
        }
        return (content.ToArray(), (int)File.GetUnixFileMode(stream.SafeFileHandle));
    }

    /// <summary>Who owns what is there (a symbolic link is followed); null where there is nothing.</summary>
    public FileOwner? OwnerOf(string path)
    {
        int fd = Linux.OpenInRoot(_root, path, Linux.O_PATH | Linux.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return null;
        }
        try
        {
            return OwnerOf(fd);
        }
        finally
        {
            _ = Linux.Close(fd);
        }
    }

    /// <summary>Writes a file; what was there before (a symbolic link, too) is replaced at once and whole. Folders that are missing are
    /// made.</summary>
    /// <param name="mode">Permission bits.</param>
    /// <param name="owner">Null: root, or whoever this process belongs to.</param>
    public void WriteFile(string path, ReadOnlySpan<byte> content, int mode, FileOwner? owner = null)
    {
        using HeldFolder parent = OpenParent(path, out string name);
        using PendingFile file = parent.Create(name);
        file.Content.Write(content);
        file.Finish(owner, mode);
    }

    /// <summary>Makes a symbolic link in place of whatever file or link has that name.</summary>
    /// <param name="owner">Null: root, or whoever this process belongs to.</param>
    public void Link(string path, string target, FileOwner? owner = null)
    {
        using HeldFolder parent = OpenParent(path, out string name);
        parent.Link(name, target, owner, flushed: false);
    }

    /// <summary>
    /// Makes a folder, and those above it, unless it exists; it gets the mode either way. A file, or a link that others than root could
    /// have made, is replaced.
    /// </summary>
    /// <param name="owner">Null: it stays whose it is; a new one belongs to whom the folder above it belongs.</param>
    public void MakeFolder(string path, int mode, FileOwner? owner = null)
    {
        using HeldFolder parent = OpenParent(path, out string name);
        if (parent.Find(name) is { IsFolder: false } && !CanBeReached(path))
        {
            parent.Remove(name);
        }
        using HeldFolder folder = _tree.Reach(path, isMade: true);
        folder.Own(owner, mode);
    }

    /// <summary>Removes a file or link, if it exists.</summary>
    public void Delete(string path)
    {
        using HeldFolder parent = OpenParent(path, out string name);
        parent.Remove(name);
    }

    /// <summary>Names in a folder; none where it does not exist.</summary>
    public IReadOnlyList<string> Names(string path)
    {
        int fd = Linux.OpenInRoot(_root, path, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return [];
        }
        try
        {
            return [.. Directory.EnumerateFileSystemEntries($"/proc/self/fd/{fd}/").Select(p => Path.GetFileName(p))];
        }
        finally
        {
            _ = Linux.Close(fd);
        }
    }

    /// <summary>Opens the folder in which something is, or is to be; it and those above it are made where they are missing.</summary>
    /// <param name="name">What the path names in it.</param>
    public HeldFolder OpenParent(string path, out string name)
    {
        string trimmed = path.TrimEnd('/');
        int slash = trimmed.LastIndexOf('/');
        name = trimmed[(slash + 1)..];
        return name is "" or "." or ".." ? throw new ArgumentException($"'{path}' names no file", nameof(path))
            : _tree.Reach(trimmed[..(slash + 1)], isMade: true);
    }

    public void Dispose() => _tree.Dispose();

    private bool CanBeReached(string path)
    {
        try
        {
            using HeldFolder folder = _tree.Reach(path, isMade: false);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static FileOwner OwnerOf(int fd)
    {
        (uint user, uint group) = Linux.OwnerOf(fd);
        return new FileOwner(user, group);
    }

    private static LinuxException Failure(string doing, string path) =>
        new($"{doing} {path} of the new system", Marshal.GetLastPInvokeError());
}
