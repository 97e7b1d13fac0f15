using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Bootstrap.Rack.Rom;

/// <summary>
/// The network boot of a Raspberry Pi, in a network namespace of its own whose eth0 is the board's. Ends with exit code 0 and the
/// payload in the folder, or with 1 when the board must start over.
/// </summary>
internal sealed class NetworkRom(BoardOptions board, EventLog events, TimeProvider clock)
{
    private const string Interface = "eth0";

    private readonly PiModel _model = PiModel.Of(board.Kind);

    /// <summary>Low 32 bits of the serial: eight hex digits, also the TFTP prefix.</summary>
    private string ShortSerial => board.Serial[8..];

    /// <summary>What is looked for first: GPU firmware; a Pi 5, whose firmware is in its EEPROM, starts at config.txt.</summary>
    private string[] FirstFiles => _model.StartFiles is { Length: > 0 } files ? files : ["config.txt"];

    private byte[] Mac => Convert.FromHexString(board.Mac.Replace(":", "", StringComparison.Ordinal));

    /// <summary>
    /// Runs the ROM in a network namespace of its own; when it ends its cable is gone, and the guest has the board's MAC alone.
    /// </summary>
    /// <param name="board">The board.</param>
    /// <param name="cable">Name of the cable's end at the switch.</param>
    /// <param name="folder">Where what it loads is put.</param>
    /// <param name="tell">Told each event, as a line of JSON.</param>
    /// <returns>Null if it found nothing to boot.</returns>
    public static async Task<BootPayload?> RunOnCableAsync(BoardOptions board, string cable, string folder, Action<string> tell)
    {
        string[] command = [.. Namespaces.Self, "rom", "--folder", folder, .. board.ToArguments()];
        using Process rom = await RackNetwork.StartOnCableAsync(cable, board.Mac, command);
        Task<string> errors = rom.StandardError.ReadToEndAsync();
        BootPayload? payload = null;
        while (await rom.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("payload ", StringComparison.Ordinal))
            {
                payload = JsonSerializer.Deserialize<BootPayload>(line["payload ".Length..]);
            }
            else
            {
                tell(line);
            }
        }
        await rom.WaitForExitAsync();
        return rom.ExitCode == 0 ? payload : throw new RackException($"the boot ROM failed: {(await errors).Trim()}");
    }

    public async Task<BootPayload?> RunAsync(string folder)
    {
        await Tool.RunAsync("ip", "link", "set", Interface, "up");
        if (_model.MaskRomId is { } id && !await LoadBootcodeAsync(id.Length > 0 ? id : MachineId()))
        {
            events.Write("boot-failed", ("source", "network"), ("reason", "the boot ROM found no DHCP server with boot information, or " +
                "no bootcode.bin, or a bootsig.bin"));
            return null;
        }
        if (await new RomDhcp(Interface, Mac, MachineId(), isMaskRom: false, events, clock).RunAsync() is not { } lease)
        {
            events.Write("boot-failed", ("source", "network"), ("reason", "no DHCP server offers an address, or none offers boot " +
                "information for a Raspberry Pi"));
            return null;
        }
        TftpClient tftp = await JoinAsync(lease);
        if (await FindPrefixAsync(tftp) is not var (prefix, startFile))
        {
            events.Write("boot-failed", ("source", "network"), ("reason", $"the TFTP server has no {FirstFiles[0]}"));
            return null;
        }
        var source = new NetworkSource(tftp, _model.TftpOptions, prefix);
        await source.FetchAsync("config.txt"); // the EEPROM reads it, then the firmware once more
        foreach (string probe in _model.EarlyProbes)
        {
            await source.ExistsAsync(probe);
        }
        if (await source.FetchAsync(startFile) is null)
        {
            events.Write("boot-failed", ("source", "network"), ("reason", $"{startFile} did not arrive"));
            return null;
        }
        if (_model.FixupFile is { } fixup)
        {
            await source.FetchAsync(fixup);
            await source.FetchAsync("config.txt"); // a Pi 4 was seen to read it four times in one boot (raspberrypi/rpi-eeprom#87)
        }
        return await new Firmware(_model, board, events).LoadAsync(source, folder);
    }

    /// <summary>The mask ROM of a Pi 3: no options, no serial, no DHCPREQUEST, and bootsig.bin must be missing.</summary>
    private async Task<bool> LoadBootcodeAsync(byte[] id)
    {
        if (await new RomDhcp(Interface, Mac, id, isMaskRom: true, events, clock).RunAsync() is not { } lease)
        {
            return false;
        }
        TftpClient tftp = await JoinAsync(lease);
        bool loaded = await tftp.FetchAsync("bootcode.bin", []) is not null;
        tftp.KeepPort(); // raspberrypi/firmware#745
        loaded = loaded && await tftp.FetchAsync("bootsig.bin", []) is null;
        await Tool.RunAsync("ip", "address", "flush", "dev", Interface);
        return loaded;
    }

    private async Task<TftpClient> JoinAsync(RomLease lease)
    {
        await Tool.RunAsync("ip", "address", "add", string.Create(CultureInfo.InvariantCulture, $"{lease.Address}/{lease.PrefixLength}"),
            "broadcast", "+", "dev", Interface);
        return new TftpClient(lease.TftpServer, events, clock);
    }

    /// <summary>The folder named after the serial if it holds firmware, else the root.</summary>
    private async Task<(string Prefix, string StartFile)?> FindPrefixAsync(TftpClient tftp)
    {
        foreach (string prefix in (string[])[ShortSerial + "/", ""])
        {
            foreach (string file in FirstFiles)
            {
                if (await tftp.ExistsAsync(prefix + file, _model.TftpOptions))
                {
                    return (prefix, file);
                }
            }
        }
        return null;
    }

    /// <summary>Option 97's 16 bytes, little-endian numbers: FourCC, revision, low half of the MAC, serial; or the serial four
    /// times.</summary>
    private byte[] MachineId()
    {
        byte[] id = new byte[16];
        uint serial = uint.Parse(ShortSerial, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        for (int at = 0; at < 16; at += 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(id.AsSpan(at), serial);
        }
        if (_model.FourCC is { } name)
        {
            System.Text.Encoding.ASCII.GetBytes(name, id);
            BinaryPrimitives.WriteUInt32LittleEndian(id.AsSpan(4), _model.Revision);
            Mac.AsSpan(2).CopyTo(id.AsSpan(8));
        }
        return id;
    }
}
