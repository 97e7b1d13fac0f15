namespace Bootstrap.Cli;

/// <summary>Files that nobody else reads.</summary>
internal static class PrivateFile
{
    /// <summary>Makes a file of mode 0600. One that was there goes: it may have another mode, and others may have it open.</summary>
    public static FileStream Create(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }
        return new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }
}
