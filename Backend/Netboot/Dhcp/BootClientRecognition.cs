using System.Buffers.Binary;
using System.Text;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>Tells boot clients apart. Whoever is not recognised is left alone.</summary>
public static class BootClientRecognition
{
    // A hint, never the only test: such lists rot (raspberrypi/rpi-eeprom#720), and a Pi that runs its operating system has the same prefix.
    private static readonly uint[] s_piPrefixes = [0xb827eb, 0xdca632, 0xe45f01, 0xd83add, 0x2ccf67, 0x28cdc1, 0x88a29e];

    /// <summary>What kind of client sent this message.</summary>
    public static BootClientKind Recognise(DhcpMessage message, ClientMachineId machine)
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
            bool looksPi = Array.IndexOf(s_piPrefixes, (uint)(message.Mac.Value >> 24)) >= 0 && (pxe || architecture == 0);
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
}
