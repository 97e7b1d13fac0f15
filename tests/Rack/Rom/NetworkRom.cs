using System.Buffers.Binary;
using System.Globalization;

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

    private byte[] Mac => Convert.FromHexString(board.Mac.Replace(":", "", StringComparison.Ordinal));

    public async Task<BootPayload?> RunAsync(string folder)
    {
        await Tool.RunAsync("ip", "link", "set", Interface, "up");
        if (_model.HasBootcode && !await LoadBootcodeAsync())
        {
            events.Write("boot-failed", ("source", "network"), ("reason", "the boot ROM found no DHCP server with boot information, or no bootcode.bin, or a bootsig.bin"));
            return null;
        }
        if (await new RomDhcp(Interface, Mac, MachineId(), events, clock).RunAsync(acknowledge: true) is not { } lease)
        {
            events.Write("boot-failed", ("source", "network"), ("reason", "no DHCP server offers an address, or none offers boot information for a Raspberry Pi"));
            return null;
        }
        TftpClient tftp = await JoinAsync(lease);
        if (await FindPrefixAsync(tftp) is not var (prefix, startFile))
        {
            events.Write("boot-failed", ("source", "network"), ("reason", $"the TFTP server has no {_model.StartFiles[0]}"));
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
        await source.FetchAsync(_model.FixupFile);
        return await new Firmware(_model, board, events).LoadAsync(source, folder);
    }

    /// <summary>The mask ROM of a Pi 3: no options, no serial, no DHCPREQUEST, and bootsig.bin must be missing.</summary>
    private async Task<bool> LoadBootcodeAsync()
    {
        byte[] anonymous = new byte[16];
        Array.Fill(anonymous, (byte)0x44);
        if (await new RomDhcp(Interface, Mac, anonymous, events, clock).RunAsync(acknowledge: false) is not { } lease)
        {
            return false;
        }
        TftpClient tftp = await JoinAsync(lease);
        bool loaded = await tftp.FetchAsync("bootcode.bin", []) is not null && await tftp.FetchAsync("bootsig.bin", []) is null;
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
            foreach (string file in _model.StartFiles)
            {
                if (await tftp.ExistsAsync(prefix + file, _model.TftpOptions))
                {
                    return (prefix, file);
                }
            }
        }
        return null;
    }

    /// <summary>Option 97's 16 bytes, little-endian numbers: FourCC, revision, low half of the MAC, serial; or the serial four times.</summary>
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
