using System.Buffers.Binary;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// Option 97 (RFC 4578 §2.3): a type byte 0 and 16 bytes. A PC sends its UUID. A Raspberry Pi sends one of
/// <list type="bullet">
/// <item>Pi 3B boot ROM: sixteen times 0x44;</item>
/// <item>Pi 3B+ and bootcode.bin (also Pi 4/5 with DHCP_OPTION97=0): the 32-bit serial four times, little-endian;</item>
/// <item>Pi 4/5 EEPROM: FourCC "RPi4"/"RPi5", board revision, low four bytes of the MAC, serial; 32 bits each. The FourCC has been seen
/// in both byte orders (raspberrypi/cmprovision#16); the numbers follow its order.</item>
/// </list>
/// </summary>
/// <param name="Form">Which of these it is.</param>
/// <param name="Serial">Low 32 bits of a Pi's serial number; null where it is not told.</param>
/// <param name="Revision">A Pi's board revision code; null where it is not told.</param>
/// <param name="Uuid">A PC's UUID, as its operating system reports it; null for a Pi.</param>
public readonly record struct ClientMachineId(MachineIdForm Form, uint? Serial = null, uint? Revision = null, Guid? Uuid = null)
{
    /// <summary>Bytes of the option.</summary>
    public const int Size = 17;

    private const uint RPi4 = 0x34695052;
    private const uint RPi5 = 0x35695052;

    /// <summary>Reads the option's 17 bytes; false if it is not that long or not of type 0.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out ClientMachineId id)
    {
        id = default;
        if (data.Length != Size || data[0] != 0)
        {
            return false;
        }
        data = data[1..];
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(data);
        if (first is RPi4 or RPi5)
        {
            id = new ClientMachineId(MachineIdForm.PiEeprom,
                BinaryPrimitives.ReadUInt32LittleEndian(data[12..]), BinaryPrimitives.ReadUInt32LittleEndian(data[4..]));
        }
        else if (BinaryPrimitives.ReverseEndianness(first) is RPi4 or RPi5)
        {
            id = new ClientMachineId(MachineIdForm.PiEeprom,
                BinaryPrimitives.ReadUInt32BigEndian(data[12..]), BinaryPrimitives.ReadUInt32BigEndian(data[4..]));
        }
        else if (!data.ContainsAnyExcept((byte)0x44))
        {
            id = new ClientMachineId(MachineIdForm.Pi3Rom);
        }
        else if (first is not (0 or uint.MaxValue) && data[4..].SequenceEqual(data[..12])) // all-0 and all-1 are PCs without a UUID
        {
            id = new ClientMachineId(MachineIdForm.PiSerial, first);
        }
        else
        {
            // EDK2 and iPXE send the bytes as SMBIOS has them, first three fields little-endian: so read, it is what Linux calls
            // product_uuid.
            id = new ClientMachineId(MachineIdForm.Uuid, Uuid: new Guid(data));
        }
        return true;
    }
}

/// <summary>What option 97 holds.</summary>
public enum MachineIdForm
{
    Absent,
    Pi3Rom,
    PiSerial,
    PiEeprom,
    Uuid,
}
