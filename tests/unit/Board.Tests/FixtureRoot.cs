namespace Bootstrap.Board.Tests;

/// <summary>A made-up / in a temporary folder.</summary>
public sealed class FixtureRoot : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("board-").FullName;

    public FixtureRoot File(string path, string content) => File(path, System.Text.Encoding.UTF8.GetBytes(content));

    public FixtureRoot File(string path, byte[] content)
    {
        string full = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        System.IO.File.WriteAllBytes(full, content);
        return this;
    }

    public FixtureRoot Link(string path, string target)
    {
        string full = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        System.IO.File.CreateSymbolicLink(full, target);
        return this;
    }

    public FixtureRoot Interface(string name, int index, string mac) =>
        File($"sys/class/net/{name}/address", mac + "\n").File($"sys/class/net/{name}/ifindex", $"{index}\n")
            .File($"sys/class/net/{name}/operstate", "up\n").File($"sys/class/net/{name}/device/uevent", "");

    public BoardReader Reader(params string[] addresses) => new(Folder, _ => addresses);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
