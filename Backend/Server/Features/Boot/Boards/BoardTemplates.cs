using System.Net;
using System.Text;

namespace Bootstrap.Server.Features.Boot.Boards;

/// <summary>The files that are written for each board, with the reason of what it boots as a comment.</summary>
internal static class BoardTemplates
{
    // tty1 is a Pi's screen; the last console is the one that programs print to. serial0 is what the Pi's firmware makes its UART's name
    // of.
    public static ReadOnlyMemory<byte> CommandLine { get; } = "console=tty1 console=serial0,115200 panic=30\n"u8.ToArray();

    private const string BundledKernel = """
        arm_64bit=1
        enable_uart=1
        kernel=kernel8.img
        initramfs initramfs8 followkernel

        """;

    // The EFI stub takes the initramfs by the name that the command line gives.
    private const string NetInst = """
        iseq ${buildarch} arm64 && set architecture arm64 || set architecture amd64
        iseq ${architecture} arm64 && set serial ttyAMA0 || set serial ttyS0
        kernel http://SERVER/netinst/${architecture}/kernel initrd=initramfs console=tty0 console=${serial},115200 panic=30 || goto failed
        initrd --name initramfs http://SERVER/netinst/${architecture}/initramfs || goto failed
        boot
        :failed
        echo NetInst could not be fetched from SERVER; trying again in 10 seconds
        sleep 10
        chain http://SERVER/boot/ipxe

        """;

    // An error is what makes UEFI firmware go on to its next boot entry (UEFI specification 2.10, 3.1.1); a BIOS is spared the way through
    // its menu.
    private const string LocalDisk = """
        iseq ${platform} pcbios && sanboot --no-describe --drive 0x80 ||
        exit 1

        """;

    /// <summary>Asks iPXE who it is; what it tells comes back as a query.</summary>
    private const string WhoAreYou = "#!ipxe\nchain http://SERVER/boot/ipxe?mac=${netX/mac}&uuid=${uuid}\n";

    /// <summary>A Pi's config.txt, far below the 4,096 bytes that a netbooting Pi's firmware reads at most.</summary>
    public static byte[] Config(BootPlan plan) => Encoding.ASCII.GetBytes($"# {plan.Comment}\n{plan.Set?.Config() ?? BundledKernel}");

    /// <summary>The first script, which is the same for all.</summary>
    /// <param name="server">Address and port of plain HTTP, as the board reaches it.</param>
    public static string FirstScript(IPEndPoint server) => Fill(WhoAreYou, server);

    /// <summary>A board's script.</summary>
    /// <param name="server">Address and port of plain HTTP, as the board reaches it.</param>
    public static string Script(BootPlan plan, IPEndPoint server) =>
        $"#!ipxe\n# {plan.Comment}\n{Fill(plan.FromNetwork ? NetInst : LocalDisk, server)}";

    private static string Fill(string script, IPEndPoint server) => script.Replace("SERVER", server.ToString(), StringComparison.Ordinal);
}
