using Bootstrap.Board;

namespace Bootstrap.Agent;

/// <summary>Files that are replaced whole: whoever reads one sees the old or the new content, also after a power cut.</summary>
internal static class DurableFile
{
    private const UnixFileMode UsualMode = (UnixFileMode)0b110_100_100;

    /// <summary>
    /// Writes beside the file, then puts that in its place; it is on the medium when this returns. Mode and owner of what was there stay; a
    /// symbolic link stays one, and what it leads to is replaced.
    /// </summary>
    /// <exception cref="IOException">It cannot be written; what was there is untouched.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string target = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        string folder = Path.GetDirectoryName(target)!;
        string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.bootstrap-new");
        File.Delete(temporary);
        try
        {
            // Not for others to read before it has the mode of the file that it replaces.
            using (var stream = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                stream.Write(content);
                bool isThere = File.Exists(target);
                File.SetUnixFileMode(stream.SafeFileHandle, isThere ? File.GetUnixFileMode(target) : UsualMode);
                if (isThere)
                {
                    // Last: a file of somebody else's has its mode changed by CAP_FOWNER alone.
                    KeepOwner(target, temporary);
                }
                stream.Flush(flushToDisk: true);
            }
            Rename(temporary, target);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>
    /// Puts a file that is written to the end, or a symbolic link, in the place of another one in the same folder; that is on the medium when this returns.
    /// </summary>
    public static void Rename(string temporary, string target)
    {
        // File.Move does not take a link to a folder for a file.
        Linux.Check(Linux.RenameAt(Linux.AT_FDCWD, temporary, Linux.AT_FDCWD, target), $"renaming {temporary}");
        SyncFolder(Path.GetDirectoryName(target)!);
    }

    private static void KeepOwner(string from, string to)
    {
        (uint User, uint Group) owner = Linux.OwnerOf(from);
        // Who is not root may not even say what is so already.
        if (owner != Linux.OwnerOf(to))
        {
            Linux.Check(Linux.ChOwn(to, owner.User, owner.Group), $"giving {to} the owner of {from}");
        }
    }

    /// <summary>The new name is an entry of the folder.</summary>
    private static void SyncFolder(string folder)
    {
        int fd = (int)Linux.Check(Linux.Open(folder, Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), $"opening {folder}");
        try
        {
            Linux.Check(Linux.FSync(fd), $"writing {folder}");
        }
        finally
        {
            _ = Linux.Close(fd);
        }
    }
}
