using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board;

/// <content>What is no regular file: links, second names, pipes.</content>
public sealed partial class HeldFolder
{
    /// <summary>Puts a symbolic link in place of whatever file or link has that name.</summary>
    /// <param name="owner">Null: who runs this program.</param>
    /// <param name="flushed">False: it is not on the medium before the file system is unmounted.</param>
    public void Link(string name, string target, FileOwner? owner, bool flushed = true) => Put(
        name, "linking", temporary => Linux.SymlinkAt(target, _fd, temporary), status => status.IsLink, owner, null, flushed);

    /// <summary>Puts a named pipe in place of whatever file or link has that name.</summary>
    /// <param name="mode">Permission bits.</param>
    /// <param name="flushed">As for <see cref="Link"/>.</param>
    public void MakePipe(string name, int mode, FileOwner owner, bool flushed = true)
    {
        const uint pipe = 0x1000;
        Put(name, "making the pipe", temporary => Linux.MakeNodeAt(_fd, temporary, pipe | OwnerOnly, 0), status =>
            status.IsPipe, owner, mode, flushed);
    }

    /// <summary>Gives a regular file of this folder another name, in place of whatever file or link has that.</summary>
    /// <param name="to">The folder of the other name; this one, or another of its file system.</param>
    /// <param name="flushed">As for <see cref="Link"/>.</param>
    /// <exception cref="IOException">There is no such file.</exception>
    public void AddName(string name, HeldFolder to, string other, bool flushed = true)
    {
        FileStatus own = Find(name) is { IsFile: true } file ? file
            : throw new IOException($"{In(name)} is no regular file: it gets no second name");
        to.Put(other, "linking", temporary => Linux.LinkAt(_fd, name, to._fd, temporary, 0),
            status => (status.Device, status.Inode) == (own.Device, own.Inode), null, null, flushed);
    }

    /// <summary>Makes something under a name that nobody can guess, sees that it is that, and gives it its owner, mode and name.</summary>
    private void Put(string name, string doing, Func<string, int> make, Func<FileStatus, bool> isThat, FileOwner? owner, int? mode,
        bool flushed)
    {
        string temporary = TemporaryFor(name);
        Check(make(temporary), doing, name);
        try
        {
            using (var made = new SafeFileHandle(
                Linux.OpenAt(_fd, temporary, Linux.O_PATH | Linux.O_NOFOLLOW | Linux.O_CLOEXEC, 0), ownsHandle: true))
            {
                Check(made.IsInvalid ? -1 : 0, doing, name);
                if (!isThat(Linux.StatusOf(made, In(name))))
                {
                    throw new IOException($"somebody put something else in the place of {In(name)} while it was made");
                }
                int fd = (int)made.DangerousGetHandle();
                if (mode is { } bits)
                {
                    // What was opened as a path alone is reached through /proc.
                    File.SetUnixFileMode($"/proc/self/fd/{fd}", (UnixFileMode)bits);
                }
                if (owner is var (user, group))
                {
                    Check(Linux.OwnOpened(fd, user, group), "setting the owner of", name);
                }
            }
            Check(Linux.RenameAt(_fd, temporary, _fd, name), "replacing", name);
        }
        finally
        {
            // After the renaming there is nothing of that name, unless both were names of one file already.
            Unlink(temporary);
        }
        if (flushed)
        {
            Flush();
        }
    }
}
