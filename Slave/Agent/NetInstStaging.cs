using System.Globalization;
using Bootstrap.Agent.Slots;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent;

/// <summary>How the machine restarts into a staged NetInst.</summary>
public enum StagedStart
{
    /// <summary>An ordinary restart: config.txt says NetInst.</summary>
    Restart,

    /// <summary>The firmware reads tryboot.txt in the place of config.txt, once.</summary>
    TryBoot,

    /// <summary>The kernel starts the one that was loaded.</summary>
    Kexec,
}

/// <summary>
/// Makes NetInst what the machine starts next, and only next. A Raspberry Pi (or whatever has a config.txt) gets it on its boot
/// partition; other machines load it by kexec.
/// </summary>
/// <remarks>
/// A boot partition is FAT, which knows no owners: whatever is on it can be read by every user while it is mounted. The node's key is never
/// put there; NetInst reads it from this system's own root file system.
/// </remarks>
/// <param name="root">"/" but in tests.</param>
/// <param name="stateFolder">For files of machines without a boot partition of that kind.</param>
/// <param name="identity">Given to a NetInst that is loaded by kexec, so that it is the same node.</param>
/// <param name="hasSlots">Whether the disk has two slots, where that is known; null: it never has.</param>
public sealed class NetInstStaging(string root, string stateFolder, Func<NodeIdentity> identity, Func<bool?>? hasSlots = null)
{
    private const string TryBootConfig = "tryboot.txt";

    /// <summary>Where boot partitions with a config.txt are mounted: Raspberry Pi OS since bookworm, and before.</summary>
    private static readonly string[] s_bootFolders = ["boot/firmware", "boot"];

    private string? BootFolder => s_bootFolders.Select(folder => Path.Combine(root, folder)).FirstOrDefault(folder =>
        File.Exists(Path.Combine(folder, StagedBoot.Config)) || File.Exists(Path.Combine(folder, StagedBoot.OriginalConfig)));

    private bool MayHaveSlots => hasSlots is not null && hasSlots() is not false;

    /// <summary>
    /// Puts the board's own config.txt back, if an earlier staging left another: the machine has not restarted since, or NetInst
    /// never came up.
    /// </summary>
    /// <returns>True if there was something to undo.</returns>
    public bool Undo()
    {
        if (BootFolder is not { } boot || !File.Exists(Path.Combine(boot, StagedBoot.OriginalConfig)))
        {
            return false;
        }
        File.Move(Path.Combine(boot, StagedBoot.OriginalConfig), Path.Combine(boot, StagedBoot.Config), overwrite: true);
        return true;
    }

    /// <summary>Fetches, verifies and stages. Whatever fails, the machine starts its own system as before.</summary>
    /// <param name="appliance">Where NetInst looks for it beside discovery.</param>
    /// <exception cref="IOException">The message says what failed; no room, no network, no kexec.</exception>
    public async Task<StagedStart> StageAsync(
        StageInstallOrder order, StoreClient store, ApplianceEndpoint appliance, CancellationToken cancellation)
    {
        Undo();
        string? boot = BootFolder;
        string target = Path.Combine(boot ?? stateFolder, StagedBoot.Folder);
        CheckSpace(target, order.Kernel.Length + order.Initramfs.Length);
        Directory.CreateDirectory(target);
        string kernel = Path.Combine(target, "kernel"), initramfs = Path.Combine(target, "initramfs");
        await using (FileStream file = CreateForOwner(kernel))
        {
            await store.FetchFileAsync("NetInst's kernel", order.Kernel, file, cancellation).ConfigureAwait(false);
        }
        await using (FileStream file = CreateForOwner(initramfs))
        {
            await store.FetchFileAsync("NetInst's initramfs", order.Initramfs, file, cancellation).ConfigureAwait(false);
        }
        // Of two slots, the firmware's tryboot starts the other one, and reads no tryboot.txt (tryboot_a_b of autoboot.txt). The ordinary
        // way is right for one slot as well.
        StagedStart start = boot is null ? StagedStart.Kexec : TryBoot.IsOffered(root) && !MayHaveSlots ? StagedStart.TryBoot
            : StagedStart.Restart;
        string commandLine = CommandLine(order.CommandLine, appliance);
        NetInstArchive.Append(initramfs, start == StagedStart.Kexec ? identity() : null, configSwapped: start == StagedStart.Restart);
        if (start == StagedStart.Kexec)
        {
            try
            {
                LoadKexec(kernel, initramfs, commandLine);
            }
            finally
            {
                // The kernel has its own copy; the file holds the node's key.
                Directory.Delete(target, recursive: true);
            }
        }
        else
        {
            WriteDurably(Path.Combine(target, "cmdline.txt"), commandLine + '\n');
            StageConfig(boot!, start);
        }
        return start;
    }

    private void StageConfig(string boot, StagedStart start)
    {
        string config = Path.Combine(boot, StagedBoot.Config);
        string original = File.ReadAllText(config);
        string changed = ConfigTxt.ForNetInst(original, StagedBoot.Folder);
        if (start == StagedStart.TryBoot)
        {
            WriteDurably(Path.Combine(boot, TryBootConfig), changed);
            return;
        }
        // The copy first: at no moment is the partition without a config.txt of one kind or the other.
        WriteDurably(Path.Combine(boot, StagedBoot.OriginalConfig), original);
        string temporary = config + ".new";
        WriteDurably(temporary, changed);
        File.Move(temporary, config, overwrite: true);
    }

    /// <summary>What the appliance asks for, the consoles that this machine has, and where the appliance is.</summary>
    private string CommandLine(string ordered, ApplianceEndpoint appliance)
    {
        IEnumerable<string> consoles = new BoardReader(root).ReadKernelArguments().Words("console");
        string[] running = MayHaveSlots && SlotReader.RunningRoot(root) is { } number
            ? [string.Create(CultureInfo.InvariantCulture, $"{StagedBoot.RunningRoot}={number}")] : [];
        return string.Join(' ', [.. consoles, ordered, $"bootstrap.backend={appliance}", .. running]).Trim();
    }

    private static void CheckSpace(string target, long needed)
    {
        const long margin = 1 << 20;
        string existing = Directory.Exists(target) ? target : Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(existing);
        // What an earlier staging left there is replaced.
        long reusable = Directory.EnumerateFiles(existing == target ? target : existing, "*", SearchOption.TopDirectoryOnly)
            .Where(_ => existing == target).Sum(file => new FileInfo(file).Length);
        long free = new DriveInfo(existing).AvailableFreeSpace + reusable;
        if (free < needed + margin)
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture,
                $"staging NetInst in {target}: {(needed + margin) / 1e6:0} MB are needed, {free / 1e6:0} MB are free"));
        }
    }

    private static void LoadKexec(string kernel, string initramfs, string commandLine)
    {
        int kernelFile = (int)Linux.Check(Linux.Open(kernel, Linux.O_RDONLY | Linux.O_CLOEXEC, 0), $"opening {kernel}");
        int initramfsFile = Linux.Open(initramfs, Linux.O_RDONLY | Linux.O_CLOEXEC, 0);
        try
        {
            Linux.Check(initramfsFile, $"opening {initramfs}");
            Linux.Check(Linux.LoadKexec(kernelFile, initramfsFile, commandLine),
                "loading NetInst by kexec (is it locked down, by Secure Boot perhaps?)");
        }
        finally
        {
            _ = Linux.Close(kernelFile);
            _ = Linux.Close(initramfsFile);
        }
    }

    /// <summary>Root's alone from its first byte on, where the file system knows owners; what was there may have been for all.</summary>
    private static FileStream CreateForOwner(string path)
    {
        File.Delete(path);
        return new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    private static void WriteDurably(string path, string text)
    {
        using FileStream stream = File.Create(path);
        stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        stream.Flush(flushToDisk: true);
    }
}
