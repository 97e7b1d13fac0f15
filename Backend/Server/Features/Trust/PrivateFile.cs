using System.Text;

namespace Bootstrap.Server.Features.Trust;

/// <summary>Files that nobody else may read.</summary>
internal static class PrivateFile
{
    /// <summary>Writes a file of mode 0600: complete under its name, or not there.</summary>
    public static void Write(string path, string content)
    {
        string temporary = path + ".new";
        File.Delete(temporary); // what was there before had a mode of its own
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(temporary, options))
        {
            file.Write(Encoding.UTF8.GetBytes(content));
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
