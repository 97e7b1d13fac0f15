using System.Globalization;
using Bootstrap.Rack.Rom;

namespace Bootstrap.Rack.Machine;

/// <summary>A board's power: on, boot ROM, machine, and around again at each reset, until its guest switches it off.</summary>
internal sealed class Board(BoardOptions options, EventLog events, TimeProvider clock)
{
    /// <summary>Between two rounds of a ROM that found nothing to boot.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly string _tap = string.Create(CultureInfo.InvariantCulture, $"tap{options.Id}");
    private readonly string _cable = string.Create(CultureInfo.InvariantCulture, $"rom{options.Id}");

    public async Task RunAsync()
    {
        if (options.Kind is BoardKind.Raspi3bPlus or BoardKind.Raspi4 or BoardKind.Raspi5)
        {
            throw new RackException($"QEMU has no machine for {options.Kind}: `rack roms` plays its boot ROM");
        }
        PrepareCard();
        // Beside the card, not in /tmp: a power cut leaves it behind, and the next start of this board takes it over.
        string folder = options.Card + ".boot";
        bool tryBoot = false;
        try
        {
            for (int resets = 0; ; resets++)
            {
                events.Write("power-on", ("pid", Namespaces.OuterProcessId), ("kind", options.Kind.ToString().ToLowerInvariant()),
                    ("serial", options.Serial),
                    ("mac", options.Mac), ("node", options.NodeId), ("card", options.Card), ("log", options.Log));
                BootPayload? payload = options.HasFirmware ? null : await LoadAsync(folder, tryBoot);
                await RackNetwork.CreateTapAsync(_tap, options.Bridge);
                events.Write("qemu-start");
                long said = ConsoleLength;
                QemuEnd end = await Qemu.RunAsync(QemuCommand.For(options, payload, _tap, Variables()));
                await RackNetwork.DeleteAsync(_tap);
                tryBoot = end == QemuEnd.Reset && HasAskedForTryBoot(said);
                events.Write(end == QemuEnd.Reset ? "reset" : "power-off", ("tryboot", tryBoot ? "yes" : null));
                if (end == QemuEnd.PowerOff || resets == options.Resets)
                {
                    return;
                }
            }
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private void PrepareCard()
    {
        if (!File.Exists(options.Card))
        {
            using FileStream card = File.Create(options.Card);
            card.SetLength(options.CardSize);
        }
        long size = new FileInfo(options.Card).Length;
        if (options.Kind == BoardKind.Raspi3b && !long.IsPow2(size))
        {
            throw new RackException($"the card {options.Card} has {size} bytes; QEMU's Raspberry Pi 3 takes cards of a power of two");
        }
    }

    private long ConsoleLength => File.Exists(options.Log) ? new FileInfo(options.Log).Length : 0;

    /// <summary>
    /// Raspberry Pi's kernels hand the argument of a restart to the firmware. QEMU's machine has no such register, but every kernel says
    /// on its console what
    /// argument it restarts with.
    /// </summary>
    private bool HasAskedForTryBoot(long from)
    {
        using FileStream console = File.OpenRead(options.Log);
        console.Position = from;
        using var text = new StreamReader(console);
        return text.ReadToEnd().Contains("reboot: Restarting system with command '0 tryboot'", StringComparison.Ordinal);
    }

    /// <summary>Card and network in the order that the board has, over and over, as a Pi does. The flag counts for the first time
    /// alone.</summary>
    private async Task<BootPayload> LoadAsync(string folder, bool tryBoot)
    {
        while (true)
        {
            foreach (bool network in (bool[])[options.NetworkFirst, !options.NetworkFirst])
            {
                if (await (network ? NetworkRom.RunOnCableAsync(options, _cable, folder, events.WriteLine)
                    : LoadCardAsync(folder, tryBoot)) is { } payload)
                {
                    return payload;
                }
            }
            tryBoot = false;
            await Task.Delay(s_pause, clock);
        }
    }

    private Task<BootPayload?> LoadCardAsync(string folder, bool tryBoot) =>
        new Firmware(PiModel.Of(options.Kind), options, events).LoadCardAsync(options.Card, folder, tryBoot);

    /// <summary>UEFI's variables stay with the machine's disk.</summary>
    private string Variables()
    {
        string path = options.Card + ".uefi";
        if (QemuCommand.UefiOf(options.Kind) is { } uefi && !File.Exists(path))
        {
            File.Copy(uefi.Variables, path);
        }
        return path;
    }
}
