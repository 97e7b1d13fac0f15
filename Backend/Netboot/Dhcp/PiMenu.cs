using System.Text;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// The option 43 that every Raspberry Pi takes (RFC 2132 §8.4, PXE 2.1 §2.2.1; raspberrypi/firmware#1605, #937). 32 bytes:
/// <code>
/// 06 01 03                               discovery control: no broadcast, no multicast discovery
/// 0a 04 00 "PXE"                         menu prompt, time-out 0
/// 09 14 00 00 11 "Raspberry Pi Boot"     boot menu: one entry of type 0, 17 characters
/// ff                                     end
/// </code>
/// The bare text without sub-options failed on a Pi 3; a Pi 4 looks for the text anywhere in the option. The three spaces that the
/// first Pi 3B ROMs want after the text are not sent: a bootcode.bin on a card does the same for these boards.
/// </summary>
public static class PiMenu
{
    private static readonly byte[] s_option =
    [
        0x06, 0x01, 0x03,
        0x0a, 0x04, 0x00, .. Encoding.ASCII.GetBytes("PXE"),
        0x09, 0x14, 0x00, 0x00, 0x11, .. Encoding.ASCII.GetBytes("Raspberry Pi Boot"),
        0xff,
    ];

    /// <summary>The option's 32 bytes.</summary>
    public static ReadOnlyMemory<byte> Option => s_option;
}
