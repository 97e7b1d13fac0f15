using Bootstrap.Board;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Installer;

/// <content>Whole trees that are taken from one system to another.</content>
public sealed partial class RootedFolder
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Opens a folder, for those who look at what is in it themselves; null where there is none.</summary>
    public OpenedFolder? Enter(string path)
    {
        int fd = Linux.OpenInRoot(_root, path.Length == 0 ? "/" : path, s_folderFlags, 0);
        return fd < 0 ? null : new OpenedFolder(fd);
    }

    /// <summary>
    /// Writes a file of any size in place of whatever file or link has that name, through little memory; whole pieces of zeros become holes.
    /// It is not on the medium before the file system is unmounted.
    /// </summary>
    /// <param name="mode">Permission bits.</param>
    public void WriteFile(string path, Stream content, int mode, FileOwner owner, DateTime modified)
    {
        int parent = OpenParent(path, out string name);
        try
        {
            _ = Linux.UnlinkAt(parent, name, 0);
            int fd = Linux.OpenAt(parent, name, Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW | Linux.O_CLOEXEC, OwnerOnly);
            Check(fd, "creating", path);
            using var file = new FileStream(new SafeFileHandle(fd, ownsHandle: true), FileAccess.Write, bufferSize: 0);
            Fill(file, content);
            Check(Linux.FChOwn(fd, owner.User, owner.Group), "setting the owner of", path);
            // After the owner: a change of that takes set-user-id away.
            Check(Linux.FChMod(fd, mode), "setting the mode of", path);
            File.SetLastWriteTimeUtc(file.SafeFileHandle, modified);
        }
        finally
        {
            _ = Linux.Close(parent);
        }
    }

    /// <summary>Gives a file another name, in place of whatever file or link has that.</summary>
    public void AddName(string path, string other)
    {
        int from = OpenParent(path, out string name), to = -1;
        try
        {
            to = OpenParent(other, out string otherName);
            _ = Linux.UnlinkAt(to, otherName, 0);
            Check(Linux.LinkAt(from, name, to, otherName, 0), "linking", other);
        }
        finally
        {
            _ = Linux.Close(from);
            _ = Linux.Close(to);
        }
    }

    /// <summary>Makes a named pipe in place of whatever file or link has that name.</summary>
    public void MakePipe(string path, int mode, FileOwner owner)
    {
        const uint pipe = 0x1000;
        int parent = OpenParent(path, out string name);
        try
        {
            _ = Linux.UnlinkAt(parent, name, 0);
            Check(Linux.MakeNodeAt(parent, name, pipe | (uint)OwnerOnly, 0), "making the pipe", path);
            string real = $"/proc/self/fd/{parent}/{name}";
            Check(Linux.ChOwn(real, owner.User, owner.Group), "setting the owner of", path);
            File.SetUnixFileMode(real, (UnixFileMode)mode);
        }
        finally
        {
            _ = Linux.Close(parent);
        }
    }

    // Octal 0600.
    private const int OwnerOnly = 0x180;

    private static void Fill(FileStream file, Stream content)
    {
        byte[] piece = new byte[PieceBytes];
        long length = 0;
        for (int read; (read = content.ReadAtLeast(piece, PieceBytes, throwOnEndOfStream: false)) > 0; length += read)
        {
            if (piece.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                file.Position = length;
                file.Write(piece, 0, read);
            }
        }
        file.SetLength(length);
    }
}

/// <summary>A folder by which what is in it can be reached, whatever lies above it.</summary>
public sealed class OpenedFolder(int fd) : IDisposable
{
    /// <summary>Of this process.</summary>
    public string Path { get; } = $"/proc/self/fd/{fd}";

    public void Dispose() => _ = Linux.Close(fd);
}
