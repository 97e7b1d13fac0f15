using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bootstrap.Cli.Fleet;

/// <summary>A machine that a command works on.</summary>
/// <param name="Name">What the output calls it; no two targets have the same.</param>
/// <param name="Host">Address or name, IPv6 without brackets.</param>
/// <param name="Port">Of its SSH server; null: as ssh's configuration says, else 22.</param>
internal sealed record Target(string Name, string Host, int? Port)
{
    /// <summary>For people: "10.0.0.7", "10.0.0.7:2222", "[fd00::7]:2222".</summary>
    public string Address => Port is not { } port ? Host
        : string.Create(CultureInfo.InvariantCulture, $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{port}");

    /// <summary>Reads "HOST", "HOST:PORT", "[IPV6]", "[IPV6]:PORT" or a bare IPv6 address.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Target? target)
    {
        target = null;
        string host = text, rest = "";
        if (text.StartsWith('[') && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end)
        {
            (host, rest) = (text[1..end], text[(end + 1)..]);
        }
        else if (text.Count(c => c == ':') == 1)
        {
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            (host, rest) = (text[..colon], text[colon..]);
        }
        int? port = null;
        if (rest.Length > 0)
        {
            if (rest[0] != ':' || !ushort.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)
                || number == 0)
            {
                return false;
            }
            port = number;
        }
        // ssh takes what begins with a dash for an option, and what stands before an @ for a user.
        if (host.Length == 0 || host[0] == '-' || host.AsSpan().ContainsAny("@[]/ \t"))
        {
            return false;
        }
        target = new Target(text, host, port);
        return true;
    }
}
