using System.Globalization;
using Bootstrap.Rack.Rom;

namespace Bootstrap.Rack.Machine;

/// <summary>The command line of QEMU for a board.</summary>
internal static class QemuCommand
{
    /// <summary>Files of UEFI firmware: its program, and its variables as they are in a new machine; null for a machine without
    /// UEFI.</summary>
    public static (string Code, string Variables)? UefiOf(BoardKind kind) => kind switch
    {
        BoardKind.X86 => ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        BoardKind.ArmUefi => ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
        _ => null,
    };

    /// <summary>All code of a whole system's start has room in its translated form; with less, much of it is translated again and
    /// again.</summary>
    private const string Emulation = "tcg,tb-size=256";

    /// <summary>What the Slave is compiled for (x86-64-v2), and nothing more: wider vectors and more levels of pages take twice as long to
    /// emulate.</summary>
    private const string Pc = "qemu64,+cx16,+popcnt,+ssse3,+sse4.1,+sse4.2";

    public static string[] For(BoardOptions board, BootPayload? payload, string tap, string variables)
    {
        string network = $"tap,id=net0,ifname={tap},script=no,downscript=no";
        // Killing QEMU is a power cut, and what it has written is then in the host's page cache: nothing that the guest saw written is
        // lost, so the
        // host's disk need not be made to sync.
        string card = $"format=raw,cache=unsafe,file={Escape(board.Card)}";
        string memory = board.Memory.ToString(CultureInfo.InvariantCulture);
        string[] pci = ["-device", "virtio-rng-pci", "-drive", $"if=none,id=card,{card}", "-netdev", network];
        string[] machine = board.Kind switch
        {
            BoardKind.Virt =>
            [
                "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-smp", "1", "-m", memory, "-accel", Emulation, .. pci,
                "-device", $"virtio-blk-pci,drive=card,serial={CardSerial(board)}",
                "-device", $"virtio-net-pci,netdev=net0,mac={board.Mac},romfile=",
            ],
            BoardKind.Raspi3b =>
            [
                "qemu-system-aarch64", "-M", "raspi3b", "-accel", Emulation, "-drive", "if=sd," + card, "-netdev", network,
                "-device", $"usb-net,netdev=net0,mac={board.Mac}",
            ],
            _ =>
            [
                .. board.Kind == BoardKind.ArmUefi
                    ? (string[])["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"]
                    : ["qemu-system-x86_64", "-M", "q35", "-cpu", Pc],
                "-smp", "1", "-m", memory, "-accel", Emulation, .. pci, .. Uefi(board, variables),
                "-device", $"virtio-blk-pci,drive=card,serial={CardSerial(board)}{Order(board, board.NetworkFirst ? 2 : 1)}",
                // UEFI has a driver of its own for the network; a BIOS boots by the interface's ROM, which is iPXE.
                "-device", $"virtio-net-pci,netdev=net0,mac={board.Mac}{Order(board, board.NetworkFirst ? 1 : 2)}" +
                    (board.Kind == BoardKind.X86Bios ? "" : ",romfile="),
                "-uuid", board.Uuid, "-smbios", $"type=1,manufacturer=Bootstrap,product=Virtual PC,serial={board.Serial},uuid={board.Uuid}",
            ],
        };
        string[] kernel = payload is null ? [] :
        [
            "-kernel", payload.Kernel, "-dtb", payload.DeviceTree, "-append", payload.CommandLine,
            .. payload.Initramfs is { } initramfs ? ["-initrd", initramfs] : (string[])[],
        ];
        return
        [
            .. machine, .. kernel, "-nodefaults", "-display", "none", "-no-reboot", "-qmp", "stdio",
            "-chardev", $"file,id=console,append=on,path={Escape(board.Log)}", "-serial", "chardev:console",
        ];
    }

    private static string Order(BoardOptions board, int place) => board.KeepsOrder ? ""
        : string.Create(CultureInfo.InvariantCulture, $",bootindex={place}");

    /// <summary>PXE over IPv6, which nobody answers here, would only be waited for; firmware without any PXE has HTTP boot left.</summary>
    private static string[] Uefi(BoardOptions board, string variables) => UefiOf(board.Kind) is not { } uefi ? [] :
    [
        "-drive", $"if=pflash,format=raw,readonly=on,file={uefi.Code}", "-drive", $"if=pflash,format=raw,file={Escape(variables)}",
        "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
        .. board.HttpBoot ? (string[])["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"] : [],
    ];

    private static string CardSerial(BoardOptions board) => string.Create(CultureInfo.InvariantCulture, $"CARD{board.Id:D5}");

    /// <summary>A comma ends an option of QEMU's.</summary>
    private static string Escape(string path) => path.Replace(",", ",,", StringComparison.Ordinal);
}
