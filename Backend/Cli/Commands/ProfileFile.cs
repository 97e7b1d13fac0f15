using System.ComponentModel;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>Profiles as a file has them (YAML), word for word as the API takes them, and the values of groups and nodes.</summary>
internal sealed class ProfileFile
{
    public List<Entry> Profiles { get; init; } = [];

    public ValueSets Values { get; init; } = new();

    internal sealed class Entry
    {
        public string Name { get; init; } = "";
        public string Description { get; init; } = "";
        public string HostName { get; init; } = "{{ node.name }}";
        public List<User> Users { get; init; } = [];
        public string Locale { get; init; } = "";
        public KeyboardSettings? Keyboard { get; init; }
        public string TimeZone { get; init; } = "";
        public Wireless? Wifi { get; init; }
        public List<Network> Networks { get; init; } = [];
        public List<string> Packages { get; init; } = [];
        public List<TextFile> Files { get; init; } = [];
        public string FirstBootScript { get; init; } = "";
        public string CloudInit { get; init; } = "";

        /// <summary>Null: what the appliance keeps by itself.</summary>
        public List<string>? KeptPaths { get; init; }
        public Dictionary<string, string> Values { get; init; } = [];
        public Dictionary<string, Secret>? Secrets { get; init; }
    }

    internal sealed class User
    {
        public string Name { get; init; } = "";
        public string FullName { get; init; } = "";
        public List<string> Groups { get; init; } = [];
        public string Shell { get; init; } = "";
        public bool Sudo { get; init; }
        public List<string> Keys { get; init; } = [];
        public Secret? PasswordHash { get; init; }
    }

    internal sealed class KeyboardSettings
    {
        public string Layout { get; init; } = "";

        [DefaultValue("pc105")]
        public string Model { get; init; } = "pc105";
        public string Variant { get; init; } = "";
        public string Options { get; init; } = "";
    }

    internal sealed class Wireless
    {
        public string Ssid { get; init; } = "";
        public string Country { get; init; } = "";
        public bool Hidden { get; init; }
        public Secret? Passphrase { get; init; }
    }

    internal sealed class Network
    {
        public string Interface { get; init; } = "";
        public string Address { get; init; } = "";
        public string Gateway { get; init; } = "";
        public List<string> Dns { get; init; } = [];
    }

    internal sealed class TextFile
    {
        public string Path { get; init; } = "";
        public string Content { get; init; } = "";

        [DefaultValue("root")]
        public string Owner { get; init; } = "root";

        [DefaultValue("0644")]
        public string Mode { get; init; } = "0644";

        [DefaultValue(true)]
        public bool Template { get; init; } = true;
    }

    internal sealed class ValueSets
    {
        public Dictionary<string, Dictionary<string, string>> Groups { get; init; } = [];

        public Dictionary<string, Dictionary<string, string>> Nodes { get; init; } = [];
    }

    /// <summary>Reads a file whole.</summary>
    /// <exception cref="CliException">It cannot be read, or something in it is not understood; line and column are named.</exception>
    public static ProfileFile Read(string path)
    {
        ProfileFile file = YamlFile.Read<ProfileFile>(path);
        string fault = file.Profiles.FindIndex(p => p.Name.Length == 0) is >= 0 and var nameless ? $"profile {nameless + 1} has no name"
            : file.Profiles.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1) is { } twice
                ? $"there are {twice.Count()} profiles called '{twice.Key}'"
            : "";
        return fault.Length == 0 ? file : throw new CliException($"{path}: {fault}") { ExitCode = 2 };
    }
}
