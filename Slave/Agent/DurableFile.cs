using Bootstrap.Board;

namespace Bootstrap.Agent;

/// <summary>
/// Files that are replaced whole: whoever reads one sees the old or the new content, also after a power cut. They may lie where users can
/// write:
/// none of these is followed to another file (<see cref="HeldFolder"/>).
/// </summary>
internal static class DurableFile
{
    // Octal 0644.
    private const int UsualMode = 0x1a4;

    /// <summary>
    /// Writes beside the file, then puts that in its place; it is on the medium when this returns. Mode and owner of what was there stay; a
    /// symbolic link of root's stays one, and what it leads to is replaced.
    /// </summary>
    /// <exception cref="IOException">It cannot be written; what was there is untouched.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        byte[] bytes = content.ToArray();
        Update(path, _ => bytes);
    }

    /// <summary>The same for content that comes of what was there.</summary>
    /// <param name="path">The whole path; its folder is there.</param>
    /// <param name="change">Takes what was there, null for nothing, and gives what is to be there; null: it stays as it is.</param>
    /// <exception cref="IOException">It cannot be read or written; what was there is untouched.</exception>
    public static void Update(string path, Func<byte[]?, byte[]?> change)
    {
        // Permission bits without set-user-id and its like: what is written here is no program.
        const int permissions = 0x1ff;
        using HeldFolder folder = HeldFolder.OpenParent(path, isMade: false, followed: true, out string name);
        using HeldFile? before = folder.OpenFile(name);
        if (before is null && folder.Find(name) is not null)
        {
            throw new IOException($"{path} is no ordinary file with this name alone: it is neither read nor replaced");
        }
        if (change(before is null ? null : ReadAll(before.Content)) is not { } content)
        {
            return;
        }
        using PendingFile file = folder.Create(name);
        file.Content.Write(content);
        // Who is not root may not even say what is so already.
        FileOwner? owner = before?.Status is { } status && (status.User, status.Group) != (file.Status.User, file.Status.Group)
            ? new FileOwner(status.User, status.Group) : null;
        file.Finish(owner, before?.Status.Permissions & permissions ?? UsualMode);
    }

    private static byte[] ReadAll(FileStream file)
    {
        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }
}
