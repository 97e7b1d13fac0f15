namespace Bootstrap.Board;

/// <content>The way to a folder, step by step.</content>
public sealed partial class HeldFolder
{
    private const int MaximumLinks = 40;

    private static readonly int s_folderFlags = Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC;

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

    /// <summary>
    /// Opens a folder of a system whose root this one is: its own links lead nowhere else, and are followed as those of <see cref="Open"/>
    /// are.
    /// </summary>
    /// <param name="path">As that system would see it.</param>
    /// <param name="isMade">Folders that are missing are made; each belongs to whom the folder above it belongs.</param>
    /// <exception cref="IOException">As for <see cref="Open"/>.</exception>
    public HeldFolder Reach(string path, bool isMade) => Walk('/' + path, isMade, hasFile: false, top: this, inherits: true).Folder;

    /// <param name="top">Is / here; null: the root of this system.</param>
    /// <param name="inherits">What is made belongs to whom the folder above it belongs, and not to who runs this.</param>
    private static (HeldFolder Folder, string Name) Walk(
        string path, bool isMade, bool hasFile, bool followed = false, HeldFolder? top = null, bool inherits = false)
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
            above.Push(OpenRoot(top, self));
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
                HeldFolder next = found is null && isMade ? folder.Make(name, inherits)
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

    private static (HeldFolder Folder, bool IsSafe) OpenRoot(HeldFolder? top, uint self)
    {
        int fd = top is null ? Linux.Open("/", s_folderFlags, 0) : Linux.OpenAt(top._fd, ".", s_folderFlags, 0);
        var root = new HeldFolder((int)Linux.Check(fd, $"opening {top?.Path ?? "/"}"), top?.Path ?? "/");
        return (root, root.IsSafe(self));
    }

    private HeldFolder Make(string name, bool inherits)
    {
        HeldFolder made = Make(name);
        if (inherits)
        {
            FileStatus own = Linux.StatusOf(_fd, Path);
            made.Own(new FileOwner(own.User, own.Group), mode: null);
        }
        return made;
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
