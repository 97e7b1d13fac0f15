using System.Buffers.Binary;
using System.Text;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>What a message tells of the program that sent it.</summary>
/// <param name="Kind">What it is; None is left alone.</param>
/// <param name="Machine">Option 97, decoded where possible.</param>
/// <param name="IsPi3Rom">
/// The mask ROM of a Pi 3, not the bootcode.bin that follows it with an exchange of its own. A 3B's sends sixteen times 0x44 as option 97;
/// a 3B+'s the serial four times as bootcode.bin does, but it alone asks for neither mask nor router (raspberrypi/firmware#1362, #764,
/// #871).
/// </param>
public readonly record struct DhcpClient(BootClientKind Kind, ClientMachineId Machine, bool IsPi3Rom)
{
    // A hint, never the only test: such lists rot (raspberrypi/rpi-eeprom#720), and a Pi that runs its operating system has the same
    // prefix.
    private static readonly uint[] s_piPrefixes = [0xb827eb, 0xdca632, 0xe45f01, 0xd83add, 0x2ccf67, 0x28cdc1, 0x88a29e];

    /// <summary>True for the prefixes of MAC addresses that Raspberry Pi boards are known to have: a hint.</summary>
    public static bool HasPiPrefix(MacAddress mac) => Array.IndexOf(s_piPrefixes, (uint)(mac.Value >> 24)) >= 0;

    /// <summary>Recognises the sender of a message.</summary>
    public static DhcpClient Of(DhcpMessage message)
    {
        ClientMachineId machine =
            message.Find(DhcpOptionCode.ClientMachineId) is { } data && ClientMachineId.TryParse(data.Span, out ClientMachineId id) ? id
                : default;
        BootClientKind kind = Recognise(message, machine);
        bool rom = kind == BootClientKind.RaspberryPi &&
            (machine.Form == MachineIdForm.Pi3Rom || machine.Form == MachineIdForm.PiSerial && !AsksForMaskOrRouter(message));
        return new DhcpClient(kind, machine, rom);
    }

    private static BootClientKind Recognise(DhcpMessage message, ClientMachineId machine)
    {
        string vendorClass = message.FindText(DhcpOptionCode.VendorClass);
        bool pxe = vendorClass.StartsWith("PXEClient", StringComparison.Ordinal);
        bool http = vendorClass.StartsWith("HTTPClient", StringComparison.Ordinal);
        int? architecture = message.Find(DhcpOptionCode.ClientArchitecture) is { Length: >= 2 } data
            ? BinaryPrimitives.ReadUInt16BigEndian(data.Span)
            : null;

        // iPXE also keeps the vendor class of the firmware that loaded it.
        if (IsIpxe(message))
        {
            return BootClientKind.Ipxe;
        }
        // Every Pi says PXEClient with architecture 0, like a PC's BIOS; what it says of itself in option 97 tells it apart. A Pi 4's
        // DHCPREQUEST may omit option 60 (rpi-eeprom#82). An operating system that runs on a Pi sends neither option 93 nor option 60.
        if (architecture is null or 0)
        {
            bool saysPi = machine.Form is MachineIdForm.Pi3Rom or MachineIdForm.PiEeprom or MachineIdForm.PiSerial;
            bool looksPi = HasPiPrefix(message.Mac) && (pxe || architecture == 0);
            if (saysPi || looksPi)
            {
                return BootClientKind.RaspberryPi;
            }
        }
        // Architecture numbers: RFC 4578 §2.1 and IANA's "Processor Architecture Types".
        return (architecture, pxe, http) switch
        {
            (0, true, _) => BootClientKind.BiosPxe,
            (7 or 9, true, _) => BootClientKind.UefiX64,
            (11, true, _) => BootClientKind.UefiArm64,
            (16, _, true) => BootClientKind.UefiHttpX64,
            (19, _, true) => BootClientKind.UefiHttpArm64,
            _ => BootClientKind.None,
        };
    }

    private static bool IsIpxe(DhcpMessage message)
    {
        // RFC 3004 wants a length byte before each user class; iPXE leaves it out. Both are met.
        string userClass = message.Find(DhcpOptionCode.UserClass) is { } data ? Encoding.ASCII.GetString(data.Span) : "";
        return userClass.Contains("iPXE", StringComparison.Ordinal) || message.Find(DhcpOptionCode.IpxeEncapsulated) is not null;
    }

    private static bool AsksForMaskOrRouter(DhcpMessage message) =>
        message.Find(DhcpOptionCode.ParameterRequestList) is { } wishes &&
        wishes.Span.ContainsAny((byte)DhcpOptionCode.SubnetMask, (byte)DhcpOptionCode.Router);
}
