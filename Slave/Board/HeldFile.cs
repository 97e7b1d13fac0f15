using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board;

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
    /// <param name="flushed">False: it is not on the medium before the file system is unmounted.</param>
    /// <exception cref="IOException">It cannot be; what was there before is untouched, unless the message says otherwise.</exception>
    public void Finish(FileOwner? owner, int mode, bool flushed = true)
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
        Content.Flush(flushed);
        _folder.Place(_fd, TemporaryName, _name, flushed);
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
