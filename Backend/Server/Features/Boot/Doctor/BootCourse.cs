using Bootstrap.Netboot;
using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>How this appliance is set up, as far as boots depend on it.</summary>
/// <param name="Dhcp">The mode in which it answers now; Off where it cannot.</param>
/// <param name="ServesTftp">It answers TFTP.</param>
/// <param name="Subnets">Those that its boot interfaces are in.</param>
public sealed record ApplianceFacts(DhcpMode Dhcp, bool ServesTftp, IReadOnlyList<System.Net.IPNetwork> Subnets);

/// <summary>What the rules look at: a board's newest conversation, seen from a moment, with what is known around it.</summary>
/// <param name="Board">Who.</param>
/// <param name="Conversation">What it did.</param>
/// <param name="Earlier">The conversations before, the newest first.</param>
/// <param name="IsInstalled">The board is a node whose disk is complete.</param>
/// <param name="Facts">The appliance.</param>
/// <param name="Now">The moment, Unix milliseconds.</param>
public sealed record BootCourse(
    WireBoard Board, Conversation Conversation, IReadOnlyList<Conversation> Earlier, bool IsInstalled, ApplianceFacts Facts, long Now)
{
    /// <summary>Of boot programs; not of the system that they start.</summary>
    public IReadOnlyList<DhcpEvent> Dhcp { get; } =
        [.. Conversation.Events.OfType<DhcpEvent>().Where(e => e.Client != BootClientKind.None)];

    /// <summary>DHCP messages of the system that was started.</summary>
    public IReadOnlyList<DhcpEvent> SystemDhcp { get; } =
        [.. Conversation.Events.OfType<DhcpEvent>().Where(e => e.Client == BootClientKind.None)];

    /// <summary>The relay that the board asks through; null: it is on a wire of the appliance's.</summary>
    public string? Relay => Dhcp.LastOrDefault()?.Relay;

    public IReadOnlyList<FileEvent> Files { get; } = [.. Conversation.Events.OfType<FileEvent>()];

    public IReadOnlyList<LinkEvent> Link { get; } = [.. Conversation.Events.OfType<LinkEvent>()];

    public IReadOnlyList<FileEvent> Fetched => [.. Files.Where(f => f.Outcome == TftpOutcome.Completed)];

    public bool IsIntroduced => Conversation.IsIntroduced;

    /// <summary>The last that it was told is to boot its own disk: a Pi by DHCP, a PC by its iPXE script.</summary>
    public bool IsLeftAlone => Dhcp.LastOrDefault()?.IsLeftAlone == true || Files.LastOrDefault()?.IsLeftAlone == true;

    public LinkEvent? Introduction => Link.FirstOrDefault(e => e.Stage is LinkStage.NetInst or LinkStage.Slave);

    /// <summary>When the last part of kernel and initramfs was fetched; null before the kernel was.</summary>
    public long? KernelAt => Fetched.Any(IsKernel) ? Fetched.Where(f => IsKernel(f) || IsInitramfs(f)).Max(f => f.Until) : null;

    /// <summary>How long nothing was heard of the board.</summary>
    public TimeSpan Silence => TimeSpan.FromMilliseconds(Now - Conversation.LastAt);

    public bool IsPi => Board.Kind == BootClientKind.RaspberryPi || Board.Family != PiFamily.Unknown;

    /// <summary>How long after the conversation's begin something was: "at 3.2 s".</summary>
    public string After(long at) => $"at {Words.Seconds(at - Conversation.StartedAt)}";

    /// <summary>The conversation has come to a fetched kernel.</summary>
    public static bool IsKernelFetched(BootEvent e) => e is FileEvent { Outcome: TftpOutcome.Completed } file && IsKernel(file);

    /// <summary>kernel8.img, kernel_2712.img, vmlinuz, and NetInst's own, which has no ending.</summary>
    public static bool IsKernel(FileEvent file) =>
        file.Leaf is "kernel" or "Image"
            || (file.Leaf.StartsWith("kernel", StringComparison.Ordinal) && file.Leaf.EndsWith(".img", StringComparison.Ordinal)) ||
        file.Leaf.StartsWith("vmlinuz", StringComparison.Ordinal);

    private static bool IsInitramfs(FileEvent file) =>
        file.Leaf.StartsWith("initramfs", StringComparison.Ordinal) || file.Leaf.StartsWith("initrd", StringComparison.Ordinal);
}
