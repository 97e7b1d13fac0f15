using System.Buffers.Binary;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

/// <summary>Messages as clients send them.</summary>
internal static class PiMessages
{
    public static readonly MacAddress Mac = new(0xdca6320136c2);

    /// <summary>A Pi 4's EEPROM.</summary>
    public static DhcpMessage Discover() => Client("PXEClient:Arch:00000:UNDI:002001", 0,
        new DhcpOption(DhcpOptionCode.ClientMachineId, Convert.FromHexString("0052506934" + "1131c000" + "320136c2" + "01eeffc0")));

    /// <summary>Option 97 of a Pi 3B's mask ROM.</summary>
    public static readonly byte[] RomOf3b = [0, .. Enumerable.Repeat((byte)0x44, 16)];

    /// <summary>Option 97 of a Pi 3B+'s mask ROM, and of bootcode.bin.</summary>
    public static readonly byte[] Serial = Convert.FromHexString("00" + "01eeffc0" + "01eeffc0" + "01eeffc0" + "01eeffc0");

    /// <summary>A Pi 3: its mask ROM asks for neither mask nor router, bootcode.bin does.</summary>
    public static DhcpMessage Pi3(byte[] machineId, bool asksForMask) => Client("PXEClient:Arch:00000:UNDI:002001", 0,
        new DhcpOption(DhcpOptionCode.ClientMachineId, machineId),
        new DhcpOption(DhcpOptionCode.ParameterRequestList, asksForMask ? [1, 3, 43, 60, 66, 67] : new byte[] { 43, 60, 66, 67 })) with
    { Mac = new MacAddress(0xb827ebffee01) };

    /// <summary>A DISCOVER of any client.</summary>
    public static DhcpMessage Client(string? vendorClass, int? architecture, params DhcpOption[] more)
    {
        var options = new List<DhcpOption> { DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)DhcpMessageType.Discover) };
        if (vendorClass is not null)
        {
            options.Add(DhcpOption.Text(DhcpOptionCode.VendorClass, vendorClass));
        }
        if (architecture is { } number)
        {
            byte[] data = new byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)number);
            options.Add(new DhcpOption(DhcpOptionCode.ClientArchitecture, data));
        }
        return new DhcpMessage { IsRequest = true, TransactionId = 0x26f30339, Mac = Mac, Options = [.. options, .. more] };
    }

    /// <summary>The same client's message of another type, with more options.</summary>
    public static DhcpMessage As(this DhcpMessage message, DhcpMessageType type, params DhcpOption[] more) => message with
    {
        Options = [DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)type),
            .. message.Options.Where(o => o.Code != DhcpOptionCode.MessageType), .. more],
    };
}
