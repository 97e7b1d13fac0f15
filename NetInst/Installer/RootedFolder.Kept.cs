using Bootstrap.Board;

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
    /// Writes a file of any size in place of whatever file or link has that name, through little memory; whole pieces of zeros become
    /// holes. It is not on the medium before the file system is unmounted.
    /// </summary>
    /// <param name="mode">Permission bits.</param>
    public void WriteFile(string path, Stream content, int mode, FileOwner owner, DateTime modified)
    {
        using HeldFolder parent = OpenParent(path, out string name);
        using PendingFile file = parent.Create(name);
        Fill(file.Content, content);
        File.SetLastWriteTimeUtc(file.Content.SafeFileHandle, modified);
        file.Finish(owner, mode, flushed: false);
    }

    /// <summary>Gives a file another name, in place of whatever file or link has that.</summary>
    public void AddName(string path, string other)
    {
        using HeldFolder from = OpenParent(path, out string name), to = OpenParent(other, out string otherName);
        from.AddName(name, to, otherName, flushed: false);
    }

    /// <summary>Makes a named pipe in place of whatever file or link has that name.</summary>
    public void MakePipe(string path, int mode, FileOwner owner)
    {
        using HeldFolder parent = OpenParent(path, out string name);
        parent.MakePipe(name, mode, owner, flushed: false);
    }

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
