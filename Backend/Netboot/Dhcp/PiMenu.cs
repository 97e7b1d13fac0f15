using System.Text;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// The option 43 that a Raspberry Pi takes for an invitation (RFC 2132 §8.4, PXE 2.1 §2.2.1; raspberrypi/firmware#1605, #937). 32 bytes:
/// <code>
/// 06 01 03                               discovery control: no broadcast, no multicast discovery
/// 0a 04 00 "PXE"                         menu prompt, time-out 0
/// 09 14 00 00 11 "Raspberry Pi Boot"     boot menu: one entry of type 0, 17 characters
/// ff                                     end
/// </code>
/// The bare text without sub-options failed on a Pi 3; a Pi 4 looks for the text anywhere in the option.
/// </summary>
public static class PiMenu
{
    /// <summary>What every Pi takes but the first.</summary>
    public static ReadOnlyMemory<byte> Option { get; } = Make("Raspberry Pi Boot");

    /// <summary>
    /// For the mask ROM of a Pi 3B, which compares three spaces more (Raspberry Pi documentation, "Network boot"; mended in the 3B+).
    /// </summary>
    public static ReadOnlyMemory<byte> Pi3bOption { get; } = Make("Raspberry Pi Boot   ");

    private static byte[] Make(string text) =>
    [
        0x06, 0x01, 0x03,
        0x0a, 0x04, 0x00, .. "PXE"u8,
        0x09, (byte)(3 + text.Length), 0x00, 0x00, (byte)text.Length, .. Encoding.ASCII.GetBytes(text),
        0xff,
    ];
}
