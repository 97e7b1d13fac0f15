using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board;

/// <summary>Numbers of a user and a group; by default root's.</summary>
public readonly record struct FileOwner(uint User, uint Group);

/// <summary>
/// A folder that is held open: what is done by it happens in that folder, whatever its users do meanwhile to the names in it and above it.
/// No name is followed that they could have made a link of: every step from the root down is a descriptor of its own (openat(2) with
/// O_NOFOLLOW).
/// </summary>
/// <remarks>
/// A symbolic link of a path is followed only where nobody but root, or who runs this program, could have put it there: it is theirs, as is
/// every folder
/// up to it, and others cannot write in those, or are kept from root's names there by the sticky bit.
/// </remarks>
public sealed class HeldFolder : IDisposable
{
    // Octal 0755 and 0600.
    private const int UsualFolder = 0x1ed, OwnerOnly = 0x180;

    private const int MaximumLinks = 40;

    private readonly int _fd;

    /// <param name="fd">Of a folder, of <see cref="Linux.O_PATH"/> too; it is closed by this.</param>
    /// <param name="path">For messages.</param>
    public HeldFolder(int fd, string path) => (_fd, Path) = (fd, path);

    /// <summary>Where it was when it was opened: for messages.</summary>
    public string Path { get; }

    /// <summary>Opens a folder by its whole path, from the root down.</summary>
    /// <param name="path">From / on.</param>
    /// <param name="isMade">Folders that are missing are made: root's, for all to read.</param>
    /// <exception cref="IOException">It is not there, or cannot be had safely; the message says where that ends.</exception>
    public static HeldFolder Open(string path, bool isMade) => Walk(path, isMade, hasFile: false).Folder;

    /// <summary>Opens the folder in which a file is, or is to be.</summary>
    /// <param name="path">Of the file, from / on.</param>
    /// <param name="isMade">As for <see cref="Open"/>.</param>
    /// <param name="followed">True: where the file itself is a link that may be followed, what it leads to is meant; another link is
    /// refused.</param>
    /// <param name="name">The file's name in that folder.</param>
    /// <exception cref="IOException">As for <see cref="Open"/>.</exception>
    public static HeldFolder OpenParent(string path, bool isMade, bool followed, out string name)
    {
        (HeldFolder folder, name) = Walk(path, isMade, hasFile: true, followed);
        return folder;
    }

    /// <summary>Opens a folder in this one.</summary>
    /// <returns>Null: there is nothing of that name.</returns>
    /// <exception cref="IOException">It is something else; a symbolic link too.</exception>
    public HeldFolder? Enter(string name)
    {
        if (Find(name) is not { } found)
        {
            return null;
        }
        int fd = Linux.OpenAt(_fd, name, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_NOFOLLOW | Linux.O_CLOEXEC, 0);
        int errno = Marshal.GetLastPInvokeError();
        return fd >= 0 ? new HeldFolder(fd, In(name)) : throw (found.IsLink ? RefuseLink(name) : new LinuxException($"opening the folder {In(name)}", errno));
    }

    /// <summary>Makes a folder in this one, which all may read, and opens it.</summary>
    public HeldFolder Make(string name)
    {
        Check(Linux.MakeDirectoryAt(_fd, name, UsualFolder), "making the folder", name);
        return Enter(name) ?? throw new IOException($"{In(name)} was taken away while it was made");
    }

    /// <summary>Gives the folder itself an owner and mode, if it has others; null: it keeps what it has.</summary>
    /// <returns>True if that changed something.</returns>
    public bool Own(FileOwner owner, int? mode)
    {
        using SafeFileHandle real = Reopen();
        return Own((int)real.DangerousGetHandle(), Path, Linux.StatusOf(real, Path), owner, mode);
    }

    /// <summary>What has that name in this folder; a link is itself. Null: nothing.</summary>
    public FileStatus? Find(string name) => Linux.FindStatus(_fd, name, In(name));

    /// <summary>Opens a file in this folder for reading.</summary>
    /// <returns>Null: there is nothing of that name, or no regular file that has this name alone: somebody might have given a file of
    /// root's a second one here.</returns>
    public HeldFile? OpenFile(string name)
    {
        int fd = Linux.OpenAt(_fd, name, Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK | Linux.O_CLOEXEC, 0);
        if (fd < 0)
        {
            // A socket, or a device without its driver.
            const int ENXIO = 6;
            int errno = Marshal.GetLastPInvokeError();
            return errno is Linux.ENOENT or Linux.ELOOP or ENXIO ? null : throw new LinuxException($"opening {In(name)}", errno);
        }
        var handle = new SafeFileHandle(fd, ownsHandle: true);
        FileStatus status = Linux.StatusOf(handle, In(name));
        if (status is { IsFile: true, Links: 1 })
        {
            return new HeldFile(handle, In(name), status);
        }
        handle.Dispose();
        return null;
    }

    /// <summary>Begins a file that is to have that name: under one that nobody can guess, for root alone, until <see cref="PendingFile.Finish"/>.</summary>
    public PendingFile Create(string name)
    {
        string temporary = TemporaryFor(name);
        int fd = Linux.OpenAt(_fd, temporary, Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW | Linux.O_CLOEXEC, OwnerOnly);
        Check(fd, "creating", name);
        return new PendingFile(this, fd, temporary, name);
    }

    /// <summary>A file without any name, in this folder's file system: it is gone when it is closed.</summary>
    public FileStream CreateNameless()
    {
        PendingFile file = Create("nameless");
        Unlink(file.TemporaryName);
        return file.Content;
    }

    /// <summary>Puts a symbolic link in place of whatever file or link has that name.</summary>
    public void Link(string name, string target, FileOwner owner)
    {
        string temporary = TemporaryFor(name);
        Check(Linux.SymlinkAt(target, _fd, temporary), "linking", name);
        try
        {
            using (var link = new SafeFileHandle(Linux.OpenAt(_fd, temporary, Linux.O_PATH | Linux.O_NOFOLLOW | Linux.O_CLOEXEC, 0), ownsHandle: true))
            {
                Check(link.IsInvalid ? -1 : 0, "linking", name);
                if (!Linux.StatusOf(link, In(name)).IsLink)
                {
                    throw new IOException($"somebody put something else in the place of the link {In(name)} while it was made");
                }
                Check(Linux.OwnOpened((int)link.DangerousGetHandle(), owner.User, owner.Group), "setting the owner of", name);
            }
            Check(Linux.RenameAt(_fd, temporary, _fd, name), "replacing", name);
        }
        catch
        {
            Unlink(temporary);
            throw;
        }
        Flush();
    }

    /// <summary>Where a link of this folder leads; null: it is none, or not there.</summary>
    public string? TargetOf(string name) => Find(name) is { IsLink: true } ? Linux.ReadLinkAt(_fd, name) : null;

    /// <summary>Removes what an attempt that was killed has left of a file of that name.</summary>
    public void DropLeftovers(Func<string, bool> isOurs)
    {
        foreach (string entry in Directory.EnumerateFiles($"/proc/self/fd/{_fd}/", $".*{Suffix}").Select(p => System.IO.Path.GetFileName(p)).ToList())
        {
            if (NameOfTemporary(entry) is { } name && isOurs(name))
            {
                Unlink(entry);
            }
        }
    }

    public void Dispose() => _ = Linux.Close(_fd);

    /// <summary>Sets owner and mode of what is open, if they are others.</summary>
    internal static bool Own(int fd, string path, FileStatus status, FileOwner owner, int? mode)
    {
        bool isOwners = (status.User, status.Group) == (owner.User, owner.Group), hasMode = mode is null || status.Permissions == mode;
        if (!isOwners)
        {
            Linux.Check(Linux.FChOwn(fd, owner.User, owner.Group), $"giving {path} its owner");
        }
        if (mode is { } bits && (!isOwners || !hasMode))
        {
            // Also after another owner: that takes set-user-id bits off.
            Linux.Check(Linux.FChMod(fd, bits), $"setting the mode of {path}");
        }
        return !isOwners || !hasMode;
    }

    /// <summary>Gives a finished file its name, and sees that it is that file which has it.</summary>
    internal void Place(int file, string temporary, string name)
    {
        Check(Linux.RenameAt(_fd, temporary, _fd, name), "replacing", name);
        Flush();
        FileStatus own = Linux.StatusOf(file, In(name));
        if (Find(name) is not { } there || (there.Device, there.Inode) != (own.Device, own.Inode))
        {
            throw new IOException($"{In(name)} is not what was written: somebody who can write in {Path} put something else in its place meanwhile");
        }
    }

    internal string In(string name) => System.IO.Path.Combine(Path, name);

    internal void Unlink(string name) => _ = Linux.UnlinkAt(_fd, name, 0);

    private const string Suffix = ".bootstrap-new";
    private const int RandomDigits = 32;

    private static string TemporaryFor(string name) => $".{Shortened(name)}.{Guid.NewGuid():N}{Suffix}";

    /// <summary>A name has 255 bytes at most (NAME_MAX), of which a character may take four: of a very long one, the beginning has to
    /// do.</summary>
    private static string Shortened(string name) => Encoding.UTF8.GetByteCount(name) <= 200 ? name : name[..(char.IsHighSurrogate(name[47]) ? 47 : 48)];

    private static string? NameOfTemporary(string entry) =>
        entry.Length > 2 + RandomDigits + Suffix.Length && entry[^(RandomDigits + Suffix.Length + 1)] == '.' &&
        entry[^(RandomDigits + Suffix.Length)..^Suffix.Length].All(char.IsAsciiHexDigitLower)
            ? entry[1..^(RandomDigits + Suffix.Length + 1)]
            : null;

    /// <summary>The new names are entries of the folder: they are on the medium after this.</summary>
    private void Flush()
    {
        using SafeFileHandle real = Reopen();
        Linux.Check(Linux.FSync((int)real.DangerousGetHandle()), $"writing {Path}");
    }

    /// <summary>What was opened as a path alone has no mode to set, and nothing to bring to the medium.</summary>
    private SafeFileHandle Reopen() =>
        new((nint)Linux.Check(Linux.OpenAt(_fd, ".", Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), $"opening {Path}"), ownsHandle: true);

    private void Check(int result, string doing, string name) => Linux.Check(result, $"{doing} {In(name)}");

    private IOException RefuseLink(string name) =>
        new($"{In(name)} is a symbolic link to {TargetOf(name)} on this node, which others than root could have put there: nothing is written through it");

    private static (HeldFolder Folder, string Name) Walk(string path, bool isMade, bool hasFile, bool followed = false)
    {
        if (!System.IO.Path.IsPathFullyQualified(path))
        {
            throw new ArgumentException($"'{path}' does not begin at /", nameof(path));
        }
        uint self = Linux.GetUser();
        var left = new Stack<string>();
        Push(left, path);
        // Above: the folders from the root on, each with whether all up to it are root's; ".." of a link goes back by them.
        var above = new Stack<(HeldFolder Folder, bool IsSafe)>();
        int links = 0;
        try
        {
            above.Push(OpenRoot(self));
            while (left.TryPop(out string? name))
            {
                (HeldFolder folder, bool isSafe) = above.Peek();
                bool isFile = hasFile && left.Count == 0;
                if (name == "..")
                {
                    if (above.Count > 1)
                    {
                        above.Pop().Folder.Dispose();
                    }
                    continue;
                }
                FileStatus? found = folder.Find(name);
                if (found is { IsLink: true } link && (!isFile || followed))
                {
                    if (!isSafe || (link.User != 0 && link.User != self))
                    {
                        throw folder.RefuseLink(name);
                    }
                    if (++links > MaximumLinks || folder.TargetOf(name) is not { } target)
                    {
                        throw new IOException($"{folder.In(name)} is one of too many symbolic links, or was changed meanwhile");
                    }
                    if (target.StartsWith('/'))
                    {
                        Unwind(above, 1);
                    }
                    Push(left, target);
                    continue;
                }
                if (isFile)
                {
                    above.Pop();
                    return (folder, name);
                }
                HeldFolder next = found is null && isMade ? folder.Make(name)
                    : folder.Enter(name) ?? throw new LinuxException($"opening the folder {folder.In(name)}", Linux.ENOENT);
                above.Push((next, isSafe && next.IsSafe(self)));
            }
            return hasFile ? throw new IOException($"{path} is a folder: name the file in it") : (above.Pop().Folder, "");
        }
        finally
        {
            Unwind(above, 0);
        }
    }

    private static (HeldFolder Folder, bool IsSafe) OpenRoot(uint self)
    {
        var root = new HeldFolder((int)Linux.Check(Linux.Open("/", Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), "opening /"), "/");
        return (root, root.IsSafe(self));
    }

    /// <summary>Whether nobody but root, or who runs this, can put another thing in the place of a link of theirs in it.</summary>
    private bool IsSafe(uint self)
    {
        const int othersWrite = 0x12, sticky = 0x200;
        FileStatus status = Linux.StatusOf(_fd, Path);
        return (status.User == 0 || status.User == self) && ((status.Permissions & othersWrite) == 0 || (status.Permissions & sticky) != 0);
    }

    private static void Push(Stack<string> left, string path)
    {
        foreach (string part in path.Split('/').Where(part => part is not ("" or ".")).Reverse())
        {
            left.Push(part);
        }
    }

    private static void Unwind(Stack<(HeldFolder Folder, bool IsSafe)> above, int count)
    {
        while (above.Count > count)
        {
            above.Pop().Folder.Dispose();
        }
    }
}

/// <summary>A regular file that is held open for reading, whatever becomes of its name.</summary>
/// <param name="handle">Is closed by this.</param>
/// <param name="path">For messages.</param>
/// <param name="status">As it was when it was opened.</param>
public sealed class HeldFile(SafeFileHandle handle, string path, FileStatus status) : IDisposable
{
    public FileStatus Status { get; } = status;

    /// <summary>Its bytes, from the start on; closed with this.</summary>
    public FileStream Content { get; } = new(handle, FileAccess.Read);

    /// <summary>Gives it an owner and mode, if it has others.</summary>
    /// <returns>True if that changed something.</returns>
    public bool Own(FileOwner owner, int mode) => HeldFolder.Own((int)handle.DangerousGetHandle(), path, Status, owner, mode);

    public void Dispose() => Content.Dispose();
}

/// <summary>A file that is being written, beside its place. Without <see cref="Finish"/> nothing of it stays.</summary>
public sealed class PendingFile : IDisposable
{
    private readonly HeldFolder _folder;
    private readonly int _fd;
    private readonly string _name;
    private bool _isPlaced;

    internal PendingFile(HeldFolder folder, int fd, string temporaryName, string name)
    {
        (_folder, _fd, TemporaryName, _name) = (folder, fd, temporaryName, name);
        Content = new FileStream(new SafeFileHandle(fd, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0);
    }

    /// <summary>What it holds; closed with this.</summary>
    public FileStream Content { get; }

    /// <summary>As it is now.</summary>
    public FileStatus Status => Linux.StatusOf(_fd, _folder.In(_name));

    internal string TemporaryName { get; }

    /// <summary>Gives it its owner, its mode and, in place of whatever file or link has that, its name; all of it is on the medium when
    /// this returns.</summary>
    /// <param name="owner">Null: who runs this program.</param>
    /// <param name="mode">Permission bits.</param>
    /// <exception cref="IOException">It cannot be; what was there before is untouched, unless the message says otherwise.</exception>
    public void Finish(FileOwner? owner, int mode)
    {
        const int ordinary = 0x1ff;
        // Before the owner: a file of somebody else's has its mode changed by CAP_FOWNER alone, which the Slave's service has not.
        Linux.Check(Linux.FChMod(_fd, mode & ordinary), $"setting the mode of {_folder.In(_name)}");
        if (owner is var (user, group))
        {
            Linux.Check(Linux.FChOwn(_fd, user, group), $"giving {_folder.In(_name)} its owner");
        }
        if (mode != (mode & ordinary))
        {
            // After the owner: a change of that takes set-user-id bits off.
            Linux.Check(Linux.FChMod(_fd, mode), $"setting the mode of {_folder.In(_name)}");
        }
        Content.Flush(flushToDisk: true);
        _folder.Place(_fd, TemporaryName, _name);
        _isPlaced = true;
    }

    public void Dispose()
    {
        Content.Dispose();
        if (!_isPlaced)
        {
            _folder.Unlink(TemporaryName);
        }
    }
}
