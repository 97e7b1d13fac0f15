namespace Bootstrap.Board;

/// <summary>
/// Small files of /proc and /sys under a root that tests replace. What cannot be read counts as absent: drivers differ in
/// what they offer, and a file may vanish with its device between listing and reading.
/// </summary>
internal sealed class SysFile(string root)
{
    /// <summary>What is longer is cut: no file that is wanted has nearly as much.</summary>
    private const int LongestFile = 1 << 20;

    /// <summary>Path of a file under the root.</summary>
    public string Path(string path) => System.IO.Path.Combine(root, path.TrimStart('/'));

    /// <summary>The text without white space and NULs around it; null where there is none.</summary>
    public string? Text(string path)
    {
        byte[]? bytes = Bytes(path);
        string? text = bytes is null ? null : System.Text.Encoding.UTF8.GetString(bytes).Trim('\0', ' ', '\t', '\n', '\r');
        return string.IsNullOrEmpty(text) ? null : text;
    }

    /// <summary>The content; null where it cannot be read.</summary>
    public byte[]? Bytes(string path)
    {
        try
        {
            // Not File.ReadAllBytes: files of sysfs say that they have 4096 bytes, and end earlier.
            using var file = new FileStream(Path(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            using var content = new MemoryStream();
            byte[] part = new byte[4096];
            while (content.Length < LongestFile && file.Read(part) is > 0 and var length)
            {
                content.Write(part, 0, length);
            }
            return content.ToArray();
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    public long? Number(string path) => long.TryParse(Text(path), out long number) ? number : null;

    /// <summary>Writes a file that is there; a folder of /sys gets none that the kernel has not made.</summary>
    /// <exception cref="IOException">It cannot be written; the message says which file and why.</exception>
    public void Write(string path, string text)
    {
        try
        {
            using var file = new FileStream(Path(path), FileMode.Truncate, FileAccess.Write);
            file.Write(System.Text.Encoding.UTF8.GetBytes(text));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Names in a folder, sorted; none where it cannot be read.</summary>
    public IReadOnlyList<string> Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(Path(folder)).Select(p => System.IO.Path.GetFileName(p))
                .Order(StringComparer.Ordinal)];
        }
        catch (IOException)
        {
            return [];
        }
        catch (UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Where a symbolic link finally leads, as far as it can be followed; the path itself where it is none.</summary>
    public string Target(string path)
    {
        string full = Path(path);
        return Directory.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
    }
}
