namespace Bootstrap.Cli;

/// <summary>Files that nobody else reads.</summary>
internal static class PrivateFile
{
    /// <summary>Makes a file of mode 0600, or empties it.</summary>
    public static FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Create,
        Access = FileAccess.Write,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });
}
