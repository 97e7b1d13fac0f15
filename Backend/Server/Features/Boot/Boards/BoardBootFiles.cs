using Bootstrap.Netboot;
using Bootstrap.Server.Features.NetInst;

namespace Bootstrap.Server.Features.Boot.Boards;

/// <summary>
/// The files that boards ask for by TFTP and HTTP. The first source that has a file gives it: what an administrator put there for this
/// board, what is written for it, its boot set, or else NetInst's own kernel and the firmware that came with the program. A board that is
/// to boot its own disk finds none of these; iPXE, which tells a PC so, is there for everybody.
/// </summary>
internal sealed class BoardBootFiles(ApplianceOptions options, IReadOnlyDictionary<string, NetInstFiles> netInst, BootSetLibrary sets,
    BootPlanner planner) : IBootFiles
{
    private readonly string _firmware = Path.Combine(options.ShareFolder, "boot");

    public BootFile? Find(BootClient client, string path)
    {
        var claim = BoardClaim.Of(client, path, out string name);
        return Find(planner.For(claim, client.Address), name);
    }

    /// <summary>Finds and opens a file of a board.</summary>
    /// <param name="name">Without the board's folder.</param>
    public BootFile? Find(BootPlan plan, string name) =>
        (plan.FromNetwork ? Overridden(plan, name) ?? Written(plan, name) ?? OfSet(plan, name) : null) ?? Bundled("uefi", name);

    /// <summary>Names of all files that a board may find, in an order that stays the same.</summary>
    public IReadOnlyList<string> List(BootPlan plan) =>
    [
        .. plan.Folders.SelectMany(folder => FilesBelow(Path.Combine(options.OverridesFolder, folder)))
            .Concat(plan.Set is { } set ? sets.FilesOf(set)
                : FilesBelow(Path.Combine(_firmware, "rpi")).Concat(["kernel8.img", "initramfs8"]))
            .Concat(["config.txt", "cmdline.txt"]).Distinct().Order(StringComparer.Ordinal),
    ];

    private static IEnumerable<string> FilesBelow(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file))
        : [];

    private BootFile? Overridden(BootPlan plan, string name) => plan.Folders
        .Select(folder => DiskBootFile.OpenBelow(Path.Combine(options.OverridesFolder, folder), name))
        .FirstOrDefault(file => file is not null);

    private static BootFile? Written(BootPlan plan, string name) => name switch
    {
        "config.txt" => new MemoryBootFile(BoardTemplates.Config(plan)),
        "cmdline.txt" => new MemoryBootFile(BoardTemplates.CommandLine),
        _ => null,
    };

    /// <summary>A kernel and its device trees belong together: sets are never mixed.</summary>
    private BootFile? OfSet(BootPlan plan, string name) => plan.Set is { } set
        ? sets.Open(set, name)
        : NetInst(name) ?? Bundled("rpi", name) ?? Bundled("virt", name);

    private BootFile? NetInst(string name) => netInst.TryGetValue("arm64", out NetInstFiles? files) ? name switch
    {
        "kernel8.img" => new DiskBootFile(files.Kernel.FilePath),
        "initramfs8" => new DiskBootFile(files.Initramfs.FilePath),
        _ => null,
    } : null;

    private DiskBootFile? Bundled(string set, string name) => DiskBootFile.OpenBelow(Path.Combine(_firmware, set), name);
}
