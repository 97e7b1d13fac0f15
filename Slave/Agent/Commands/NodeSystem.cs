using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Commands;

/// <summary>The machine that work is done on.</summary>
/// <param name="Root">"/" but in tests.</param>
/// <param name="Path">Where its programs are, as in PATH.</param>
/// <param name="Slave">How the Slave's own program is started; null: as this process was.</param>
/// <param name="Config">Folder of the <see cref="NodeFiles"/>.</param>
/// <param name="State">Folder of what the Slave keeps.</param>
public sealed record NodeSystem(
    string Root, string Path, IReadOnlyList<string>? Slave = null, string Config = NodeFiles.Directory,
    string State = NodeSystem.UsualState)
{
    /// <summary>Where an installed Slave keeps what it knows.</summary>
    public const string UsualState = "/var/lib/bootstrap";

    /// <summary>This machine.</summary>
    public static readonly NodeSystem This = new("/", CommandProcess.Path);

    /// <summary>Path of a program; null: it is not installed.</summary>
    public string? Find(string program) =>
        Path.Split(':').Select(folder => System.IO.Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
