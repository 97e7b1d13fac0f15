using System.Text;
using System.Text.RegularExpressions;
using Bootstrap.Netboot;

namespace Bootstrap.Server.Features.Boot;

/// <summary>
/// The files that boards ask for by TFTP and HTTP, from an ordered list of sources: what is written for the board, NetInst, the firmware
/// sets that came with the program. A Pi asks for everything below a folder of its own first (the low eight hex digits of
/// its serial number, or its MAC with dashes); there is one answer for all boards so far, so the folder is taken off.
/// </summary>
internal sealed partial class BoardBootFiles : IBootFiles
{
    // tty1 is a Pi's screen; the last console is the one that programs print to. serial0 is what the Pi's firmware makes its UART's name of.
    private const string CommandLine = "console=tty1 console=serial0,115200 panic=30\n";

    // Stays far below the 4,096 bytes that a netbooting Pi's firmware reads at most.
    private const string Config = """
        # Written by Bootstrap: this board starts NetInst.
        arm_64bit=1
        enable_uart=1
        kernel=kernel8.img
        initramfs initramfs8 followkernel

        """;

    private readonly Func<string, BootFile?>[] _sources;

    public BoardBootFiles(ApplianceOptions options, IReadOnlyDictionary<string, NetInstFiles> netInst)
    {
        string sets = Path.Combine(options.ShareFolder, "boot");
        _sources =
        [
            Written,
            path => netInst.TryGetValue("arm64", out NetInstFiles? files) ? NetInst(files, path) : null,
            .. new[] { "rpi", "virt", "uefi" }.Select<string, Func<string, BootFile?>>(set => path => OnDisk(Path.Combine(sets, set), path)),
        ];
    }

    public BootFile? Find(BootClient client, string path)
    {
        string name = BoardFolder().Replace(path, "");
        return _sources.Select(source => source(name)).FirstOrDefault(file => file is not null);
    }

    private static MemoryBootFile? Written(string path) => path switch
    {
        "config.txt" => new MemoryBootFile(Encoding.ASCII.GetBytes(Config)),
        "cmdline.txt" => new MemoryBootFile(Encoding.ASCII.GetBytes(CommandLine)),
        _ => null,
    };

    private static DiskBootFile? NetInst(NetInstFiles files, string path) => path switch
    {
        "kernel8.img" => new DiskBootFile(files.Kernel.FilePath),
        "initramfs8" => new DiskBootFile(files.Initramfs.FilePath),
        _ => null,
    };

    private static DiskBootFile? OnDisk(string folder, string path)
    {
        // The path has no "..", and the folders are ours: links in them lead to cached firmware on purpose.
        string file = Path.Combine(folder, path);
        return File.Exists(file) ? new DiskBootFile(file) : null;
    }

    [GeneratedRegex("^([0-9a-f]{8}|([0-9a-f]{2}-){5}[0-9a-f]{2})/", RegexOptions.IgnoreCase)]
    private static partial Regex BoardFolder();
}
