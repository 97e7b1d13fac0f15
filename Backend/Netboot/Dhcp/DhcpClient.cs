using System.Buffers.Binary;
using System.Globalization;
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
    /// <summary>What it says to be (<see cref="ProcessorArchitecture"/>); null if it says nothing.</summary>
    public int? Architecture { get; init; }

    /// <summary>There is something for it to boot.</summary>
    public bool IsServed => Kind is not (BootClientKind.None or BootClientKind.Unserved);

    // A hint, never the only test: such lists rot (raspberrypi/rpi-eeprom#720), and a Pi that runs its operating system has the same
    // prefix.
    private static readonly uint[] s_piPrefixes = [0xb827eb, 0xdca632, 0xe45f01, 0xd83add, 0x2ccf67, 0x28cdc1, 0x88a29e];

    /// <summary>Number of iPXE's feature "http" in option 175.</summary>
    private const byte IpxeHttp = 0x13;

    /// <summary>True for the prefixes of MAC addresses that Raspberry Pi boards are known to have: a hint.</summary>
    public static bool HasPiPrefix(MacAddress mac) => Array.IndexOf(s_piPrefixes, (uint)(mac.Value >> 24)) >= 0;

    /// <summary>Recognises the sender of a message.</summary>
    public static DhcpClient Of(DhcpMessage message)
    {
        ClientMachineId machine =
            message.Find(DhcpOptionCode.ClientMachineId) is { } data && ClientMachineId.TryParse(data.Span, out ClientMachineId id) ? id
                : default;
        int? architecture = ArchitectureOf(message);
        BootClientKind kind = Recognise(message, machine, architecture);
        bool rom = kind == BootClientKind.RaspberryPi &&
            (machine.Form == MachineIdForm.Pi3Rom || machine.Form == MachineIdForm.PiSerial && !AsksForMaskOrRouter(message));
        return new DhcpClient(kind, machine, rom) { Architecture = architecture };
    }

    private static BootClientKind Recognise(DhcpMessage message, ClientMachineId machine, int? architecture)
    {
        string vendorClass = message.FindText(DhcpOptionCode.VendorClass);
        bool pxe = vendorClass.StartsWith("PXEClient", StringComparison.Ordinal);
        bool http = vendorClass.StartsWith("HTTPClient", StringComparison.Ordinal);

        // iPXE also keeps the vendor class of the firmware that loaded it. One that cannot load the script by HTTP is served like that
        // firmware, and so comes to an iPXE that can.
        if (IsIpxeWithHttp(message))
        {
            return BootClientKind.Ipxe;
        }
        // Every Pi says PXEClient with architecture 0, like a PC's BIOS; what it says of itself in option 97 tells it apart. A Pi 4's
        // DHCPREQUEST may omit option 60 (rpi-eeprom#82). An operating system that runs on a Pi sends neither option 93 nor option 60.
        if (architecture is null or ProcessorArchitecture.Bios)
        {
            bool saysPi = machine.Form is MachineIdForm.Pi3Rom or MachineIdForm.PiEeprom or MachineIdForm.PiSerial;
            bool looksPi = HasPiPrefix(message.Mac) && (pxe || architecture == ProcessorArchitecture.Bios);
            if (saysPi || looksPi)
            {
                return BootClientKind.RaspberryPi;
            }
        }
        // U-Boot has a vendor class of its own: whoever tells an architecture asks to be booted.
        return architecture is { } number ? ProcessorArchitecture.KindOf(number) :
            pxe || http ? BootClientKind.Unserved : BootClientKind.None;
    }

    /// <summary>Option 93, of several that a program is (RFC 4578 §2.1) the first that is served; where it is missing, what the vendor
    /// class says: "PXEClient:Arch:00007:UNDI:003016" (RFC 4578 §3).</summary>
    private static int? ArchitectureOf(DhcpMessage message)
    {
        if (message.Find(DhcpOptionCode.ClientArchitecture) is { Length: >= 2 } data)
        {
            int[] all = [.. Enumerable.Range(0, data.Length / 2).Select(i => BinaryPrimitives.ReadUInt16BigEndian(data.Span[(2 * i)..]))];
            int served = Array.FindIndex(all, number => ProcessorArchitecture.KindOf(number) != BootClientKind.Unserved);
            return all[Math.Max(served, 0)];
        }
        return message.FindText(DhcpOptionCode.VendorClass).Split(':') is ["PXEClient" or "HTTPClient", "Arch", var digits, ..]
            && ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ushort said) ? said : null;
    }

    /// <summary>iPXE tells what it was built with, whatever user class it or others send (iPXE, src/include/ipxe/features.h).</summary>
    private static bool IsIpxeWithHttp(DhcpMessage message) =>
        message.Find(DhcpOptionCode.IpxeEncapsulated) is { } features && SubOption.TryFind(features.Span, IpxeHttp, out _);

    private static bool AsksForMaskOrRouter(DhcpMessage message) =>
        message.Find(DhcpOptionCode.ParameterRequestList) is { } wishes &&
        wishes.Span.ContainsAny((byte)DhcpOptionCode.SubnetMask, (byte)DhcpOptionCode.Router);
}
