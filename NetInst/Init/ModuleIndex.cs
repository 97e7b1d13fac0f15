namespace Bootstrap.Init;

/// <summary>
/// What depmod(8) wrote about a folder of modules: which file a module is in, what it needs, and which devices it drives.
/// Names are compared with <c>_</c> for <c>-</c>, as the kernel does.
/// </summary>
public sealed class ModuleIndex
{
    private readonly Dictionary<string, (string File, string[] Needs)> _modules = [];
    private readonly Dictionary<string, List<(string Pattern, string Module)>> _aliases = [];

    /// <param name="dependencies">Lines of modules.dep: <c>kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko …</c></param>
    /// <param name="aliases">Lines of modules.alias: <c>alias pci:v00001AF4d* virtio_pci</c></param>
    public ModuleIndex(IEnumerable<string> dependencies, IEnumerable<string> aliases)
    {
        foreach (string line in dependencies)
        {
            if (line.Split(':') is [var file, var needs])
            {
                _modules[NameOf(file)] = (file, needs.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }
        foreach (string line in aliases)
        {
            if (line.Split(' ') is ["alias", var pattern, var module])
            {
                string bus = Bus(pattern);
                if (!_aliases.TryGetValue(bus, out List<(string, string)>? list))
                {
                    _aliases[bus] = list = [];
                }
                list.Add((pattern, Normal(module)));
            }
        }
    }

    /// <summary>Reads the index of a folder such as /lib/modules/6.1.0-35-arm64; an empty one where there is none.</summary>
    public static ModuleIndex Read(string folder) => new(Lines(folder, "modules.dep"), Lines(folder, "modules.alias"));

    /// <summary>Files to load for a module, in order, each relative to the folder; none for a module that is built in or unknown.</summary>
    public IReadOnlyList<string> FilesFor(string module)
    {
        if (!_modules.TryGetValue(Normal(module), out (string File, string[] Needs) found))
        {
            return [];
        }
        // depmod lists what is needed directly before what that needs in turn.
        return [.. found.Needs.Reverse(), found.File];
    }

    /// <summary>Modules that drive a device.</summary>
    /// <param name="modalias">As in sysfs: <c>pci:v00001AF4d00001000sv…</c></param>
    public IEnumerable<string> ModulesFor(string modalias) =>
        _aliases.TryGetValue(Bus(modalias), out List<(string Pattern, string Module)>? list)
            ? list.Where(alias => Glob.Matches(alias.Pattern, modalias)).Select(alias => alias.Module).Distinct()
            : [];

    /// <summary>The module in a file.</summary>
    public static string NameOf(string file) => Normal(Path.GetFileNameWithoutExtension(file));

    private static string Normal(string module) => module.Replace('-', '_');

    /// <summary>The part before the colon holds no wild cards; it keeps the search short.</summary>
    private static string Bus(string alias) => alias.IndexOf(':') is var colon and >= 0 ? alias[..colon] : alias;

    private static IEnumerable<string> Lines(string folder, string file) =>
        File.Exists(Path.Combine(folder, file)) ? File.ReadLines(Path.Combine(folder, file)) : [];
}
