using System.Globalization;
using System.Text.RegularExpressions;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Boot.Boards;

/// <summary>What somebody who asks for boot files is known by. Nothing of it is proven: no file that is served so is a secret of one
/// board.</summary>
/// <param name="Serial">Low 32 bits of a Pi's serial number.</param>
/// <param name="Mac">Hardware address.</param>
/// <param name="Uuid">A PC's UUID, as its operating system reports it.</param>
/// <param name="Revision">A Pi's board revision code.</param>
internal sealed partial record BoardClaim(uint? Serial, MacAddress? Mac, string? Uuid = null, uint? Revision = null)
{
    /// <summary>The serial's eight hex digits, which a Pi's TFTP folder is named after; null without a serial.</summary>
    public string? ShortSerial => Serial?.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>Names of folders that hold this board's own files.</summary>
    public IEnumerable<string> Folders
    {
        get
        {
            if (ShortSerial is { } serial)
            {
                yield return serial;
            }
            if (Mac is { } mac)
            {
                yield return mac.ToString('-');
            }
        }
    }

    /// <summary>What a DHCP client tells of itself.</summary>
    public static BoardClaim Of(MacAddress mac, DhcpClient client) =>
        new(client.Machine.Serial, mac, client.Machine.Uuid?.ToString(), client.Machine.Revision);

    /// <summary>
    /// Who asks for a file. A Pi asks for everything below a folder of its own first: the low eight hex digits of its serial number, or
    /// its MAC with dashes. That says more than the address: with a relay or a router in between the MAC is not known.
    /// </summary>
    /// <param name="client">Who asked.</param>
    /// <param name="path">What for.</param>
    /// <param name="name">The path without that folder.</param>
    public static BoardClaim Of(BootClient client, string path, out string name)
    {
        Match folder = Folder().Match(path);
        name = path[folder.Length..];
        string own = folder.Value.TrimEnd('/');
        return MacAddress.TryParse(own, out MacAddress mac) ? new BoardClaim(null, mac) :
            uint.TryParse(own, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint serial)
                ? new BoardClaim(serial, client.Mac) :
            new BoardClaim(null, client.Mac);
    }

    [GeneratedRegex("^([0-9a-f]{8}|([0-9a-f]{2}-){5}[0-9a-f]{2})/", RegexOptions.IgnoreCase)]
    private static partial Regex Folder();
}
