using System.Runtime.InteropServices;
using System.Text;
using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <summary>
/// A mounted system's tree. Paths are as that system would see them: "/" is its root, and none of its symbolic links leads
/// out of it (openat2 with RESOLVE_IN_ROOT). Files appear whole or not at all.
/// </summary>
public sealed partial class RootedFolder : IDisposable
{
    private const int Executable = 0x1ed; // 0755

    private const int MaximumRead = 16 << 20;

    private static readonly int s_folderFlags = Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC;

    private readonly int _root;

    /// <exception cref="LinuxException">There is no such folder.</exception>
    public RootedFolder(string path) =>
        _root = (int)Linux.Check(Linux.Open(path, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), $"opening the folder {path}");

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
        using var stream = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true), FileAccess.Read, bufferSize: 0);
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

    /// <summary>Writes a file; what was there before (a symbolic link, too) is replaced at once and whole. Folders that are missing are made.</summary>
    /// <param name="mode">Permission bits.</param>
    /// <param name="owner">Null: root, or whoever this process belongs to.</param>
    public void WriteFile(string path, ReadOnlySpan<byte> content, int mode, FileOwner? owner = null)
    {
        using var parent = new HeldFolder(OpenParent(path, out string name), $"the new system's {Path.GetDirectoryName(path)}");
        using PendingFile file = parent.Create(name);
        file.Content.Write(content);
        file.Finish(owner, mode);
    }

    /// <summary>Makes a symbolic link in place of whatever file or link has that name.</summary>
    /// <param name="owner">Null: root, or whoever this process belongs to.</param>
    public void Link(string path, string target, FileOwner? owner = null)
    {
        int parent = OpenParent(path, out string name);
        try
        {
            _ = Linux.UnlinkAt(parent, name, 0);
            Check(Linux.SymlinkAt(target, parent, name), "linking", path);
            if (owner is var (user, group))
            {
                Check(Linux.ChOwn($"/proc/self/fd/{parent}/{name}", user, group), "setting the owner of", path);
            }
        }
        finally
        {
            _ = Linux.Close(parent);
        }
    }

    /// <summary>Makes a folder, and those above it, unless it exists; it gets the mode either way.</summary>
    /// <param name="owner">Null: it stays whose it is; a new one belongs to whom the folder above it belongs.</param>
    public void MakeFolder(string path, int mode, FileOwner? owner = null)
    {
        int fd = OpenFolder(path);
        // A file descriptor of O_PATH has no mode to set: reopened through /proc it does.
        int real = Linux.Open($"/proc/self/fd/{fd}", Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0);
        _ = Linux.Close(fd);
        Check(real, "opening", path);
        try
        {
            if (owner is var (user, group))
            {
                Check(Linux.FChOwn(real, user, group), "setting the owner of", path);
            }
            Check(Linux.FChMod(real, mode), "setting the mode of", path);
        }
        finally
        {
            _ = Linux.Close(real);
        }
    }

    /// <summary>Removes a file or link, if it exists.</summary>
    public void Delete(string path)
    {
        int parent = OpenParent(path, out string name);
        int result = Linux.UnlinkAt(parent, name, 0);
        int errno = Marshal.GetLastPInvokeError();
        _ = Linux.Close(parent);
        if (result < 0 && errno != Linux.ENOENT)
        {
            throw new LinuxException($"removing {path} of the new system", errno);
        }
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

    public void Dispose() => _ = Linux.Close(_root);

    private int OpenParent(string path, out string name)
    {
        string trimmed = path.TrimEnd('/');
        int slash = trimmed.LastIndexOf('/');
        name = trimmed[(slash + 1)..];
        return name is "" or "." or ".." ? throw new ArgumentException($"'{path}' names no file", nameof(path)) : OpenFolder(trimmed[..(slash + 1)]);
    }

    /// <summary>Opens a folder, making it and those above it where they are missing.</summary>
    private int OpenFolder(string path)
    {
        string folder = path.Length == 0 ? "/" : path;
        int fd = Linux.OpenInRoot(_root, folder, s_folderFlags, 0);
        if (fd >= 0)
        {
            return fd;
        }
        if (Marshal.GetLastPInvokeError() != Linux.ENOENT || folder.Trim('/').Length == 0)
        {
            throw Failure("opening", folder);
        }
        int parent = OpenParent(folder, out string name);
        try
        {
            Check(Linux.MakeDirectoryAt(parent, name, Executable), "making the folder", path);
            // As in a home: what is made there belongs to its user.
            (uint user, uint group) = Linux.OwnerOf(parent);
            Check(Linux.ChOwn($"/proc/self/fd/{parent}/{name}", user, group), "setting the owner of", path);
        }
        finally
        {
            _ = Linux.Close(parent);
        }
        fd = Linux.OpenInRoot(_root, folder, s_folderFlags, 0);
        Check(fd, "opening", folder);
        return fd;
    }

    private static FileOwner OwnerOf(int fd)
    {
        (uint user, uint group) = Linux.OwnerOf(fd);
        return new FileOwner(user, group);
    }

    private static void Check(int result, string doing, string path) => Linux.Check(result, $"{doing} {path} of the new system");

    private static LinuxException Failure(string doing, string path) => new($"{doing} {path} of the new system", Marshal.GetLastPInvokeError());
}
