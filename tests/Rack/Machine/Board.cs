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
        try
        {
            for (int resets = 0; ; resets++)
            {
                events.Write("power-on", ("pid", Namespaces.OuterProcessId), ("kind", options.Kind.ToString().ToLowerInvariant()), ("serial", options.Serial),
                    ("mac", options.Mac), ("node", options.NodeId), ("card", options.Card), ("log", options.Log));
                BootPayload? payload = options.HasFirmware ? null : await LoadAsync(folder);
                await RackNetwork.CreateTapAsync(_tap, options.Bridge);
                events.Write("qemu-start");
                QemuEnd end = await Qemu.RunAsync(QemuCommand.For(options, payload, _tap, Variables()));
                await RackNetwork.DeleteAsync(_tap);
                events.Write(end == QemuEnd.Reset ? "reset" : "power-off");
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

    /// <summary>Card and network in the order that the board has, over and over, as a Pi does.</summary>
    private async Task<BootPayload> LoadAsync(string folder)
    {
        while (true)
        {
            foreach (bool network in (bool[])[options.NetworkFirst, !options.NetworkFirst])
            {
                if (await (network ? NetworkRom.RunOnCableAsync(options, _cable, folder, events.WriteLine) : LoadCardAsync(folder)) is { } payload)
                {
                    return payload;
                }
            }
            await Task.Delay(s_pause, clock);
        }
    }

    private async Task<BootPayload?> LoadCardAsync(string folder) =>
        CardSource.Open(options.Card) is { } card ? await new Firmware(PiModel.Of(options.Kind), options, events).LoadAsync(card, folder) : null;

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
