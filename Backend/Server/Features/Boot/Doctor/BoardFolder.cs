using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>The folder that a Pi asks for its files in: the low eight hex digits of its serial number, or its MAC with dashes
/// (TFTP_PREFIX).</summary>
internal static partial class BoardFolder
{
    /// <summary>The serial number that a path begins with, in lower case, or null.</summary>
    public static string? SerialOf(string path) => Serial().Match(path) is { Success: true } found
        ? found.Groups[1].Value.ToLowerInvariant() : null;

    /// <summary>The MAC address that a path begins with, or null.</summary>
    public static MacAddress? MacOf(string path) =>
        path.Length > 17 && path[17] == '/' && MacAddress.TryParse(path[..17], out MacAddress mac) ? mac : null;

    [GeneratedRegex("^([0-9a-fA-F]{8})/")]
    private static partial Regex Serial();
}
