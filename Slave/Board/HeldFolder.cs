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
public sealed partial class HeldFolder : IDisposable
{
    // Octal 0755 and 0600.
    private const int UsualFolder = 0x1ed, OwnerOnly = 0x180;

    private readonly int _fd;

    /// <param name="fd">Of a folder, of <see cref="Linux.O_PATH"/> too; it is closed by this.</param>
    /// <param name="path">For messages.</param>
    public HeldFolder(int fd, string path) => (_fd, Path) = (fd, path);

    /// <summary>Where it was when it was opened: for messages.</summary>
    public string Path { get; }

    /// <summary>By which this process reaches it, for calls that take a path: what lies above it does not matter.</summary>
    public string OpenPath => $"/proc/self/fd/{_fd}";

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
        return fd >= 0 ? new HeldFolder(fd, In(name))
            : throw (found.IsLink ? RefuseLink(name) : new LinuxException($"opening the folder {In(name)}", errno));
    }

    /// <summary>Makes a folder in this one, which all may read, and opens it.</summary>
    public HeldFolder Make(string name)
    {
        Check(Linux.MakeDirectoryAt(_fd, name, UsualFolder), "making the folder", name);
        return Enter(name) ?? throw new IOException($"{In(name)} was taken away while it was made");
    }

    /// <summary>Gives the folder itself an owner and mode, if it has others; null: it keeps what it has.</summary>
    /// <returns>True if that changed something.</returns>
    public bool Own(FileOwner? owner, int? mode)
    {
        using SafeFileHandle real = Reopen();
        FileStatus status = Linux.StatusOf(real, Path);
        return Own((int)real.DangerousGetHandle(), Path, status, owner ?? new FileOwner(status.User, status.Group), mode);
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

    /// <summary>Begins a file that is to have that name: under one that nobody can guess, for root alone, until
    /// <see cref="PendingFile.Finish"/>.</summary>
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

    /// <summary>Removes a file or link, if it is there.</summary>
    /// <exception cref="LinuxException">It is a folder, or cannot be removed.</exception>
    public void Remove(string name)
    {
        if (Linux.UnlinkAt(_fd, name, 0) < 0 && Marshal.GetLastPInvokeError() is not Linux.ENOENT and var errno)
        {
            throw new LinuxException($"removing {In(name)}", errno);
        }
    }

    /// <summary>Where a link of this folder leads; null: it is none, or not there.</summary>
    public string? TargetOf(string name) => Find(name) is { IsLink: true } ? Linux.ReadLinkAt(_fd, name) : null;

    /// <summary>Removes what an attempt that was killed has left of a file of that name.</summary>
    public void DropLeftovers(Func<string, bool> isOurs)
    {
        foreach (string entry in Directory.EnumerateFiles($"/proc/self/fd/{_fd}/", $".*{Suffix}").Select(p => System.IO.Path.GetFileName(p))
            .ToList())
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
    internal void Place(int file, string temporary, string name, bool flushed)
    {
        Check(Linux.RenameAt(_fd, temporary, _fd, name), "replacing", name);
        if (flushed)
        {
            Flush();
        }
        FileStatus own = Linux.StatusOf(file, In(name));
        if (Find(name) is not { } there || (there.Device, there.Inode) != (own.Device, own.Inode))
        {
            throw new IOException(
                $"{In(name)} is not what was written: somebody who can write in {Path} put something else in its place meanwhile");
        }
    }

    internal string In(string name) => System.IO.Path.Combine(Path, name);

    internal void Unlink(string name) => _ = Linux.UnlinkAt(_fd, name, 0);

    private const string Suffix = ".bootstrap-new";
    private const int RandomDigits = 32;

    private static string TemporaryFor(string name) => $".{Shortened(name)}.{Guid.NewGuid():N}{Suffix}";

    /// <summary>A name has 255 bytes at most (NAME_MAX), of which a character may take four: of a very long one, the beginning has to
    /// do.</summary>
    private static string Shortened(string name) =>
        Encoding.UTF8.GetByteCount(name) <= 200 ? name : name[..(char.IsHighSurrogate(name[47]) ? 47 : 48)];

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
        new((nint)Linux.Check(Linux.OpenAt(_fd, ".", Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), $"opening {Path}"),
        ownsHandle: true);

    private void Check(int result, string doing, string name) => Linux.Check(result, $"{doing} {In(name)}");

    private IOException RefuseLink(string name) =>
        new($"{In(name)} is a symbolic link to {TargetOf(name)} on this node, which others than root could have put there: nothing is " +
        $"written through it");
}
