using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Features.Profiles;

/// <summary>What the parts of a profile must look like. Each rule tells what is wrong, without the sentence's end; empty:
/// nothing.</summary>
internal static partial class ProfileRules
{
    private const int MaximumPath = 4096;

    /// <summary>Folders that are not on the disk, and that of the Slave's own files.</summary>
    private static readonly string[] s_closed = ["/proc", "/sys", "/dev", "/run", "/etc/bootstrap"];

    private static readonly string[] s_userData = ["#cloud-config", "#!", "#include", "#cloud-boothook", "#part-handler", "## template:",
        "Content-Type:"];

    public static string Name(string text) =>
        ProperName().IsMatch(text) ? "" : $"'{text}' is no name for a profile: use 1 to 64 of a-z, 0-9, '-' and '_'";

    public static string HostName(string text) =>
        NodeNames.IsValid(text) ? "" : $"'{text}' is not a host name: use 1 to 63 of a-z, 0-9 and '-', not starting or ending with '-'";

    public static string Account(string text) => AccountName().IsMatch(text) ? ""
        : $"'{text}' is no name of a user or group: use a-z, 0-9, '-' and '_', a letter first, at most 32";

    public static string FullName(string text) => text.Any(ch => ch is ':' or ',' || char.IsControl(ch))
        ? "a full name has no ':', no ',' and one line" : "";

    public static string Shell(string text) => ShellPath().IsMatch(text) ? "" : $"'{text}' is no shell: name its path, such as /bin/bash";

    public static string Key(string text) =>
        SshPublicKey.TryParse(text, out _, out string? fault) ? "" : $"'{text[..Math.Min(40, text.Length)]}…' {fault}";

    /// <summary>Says nothing of the hash itself.</summary>
    public static string PasswordHash(string text) =>
        CryptHash().IsMatch(text) ? ""
            : "this is no password hash as crypt(5) has it, such as `openssl passwd -6` prints: it begins with $6$ or $y$";

    public static string Locale(string text) => LocaleName().IsMatch(text) ? "" : $"'{text}' is no locale: use one such as de_DE.UTF-8";

    public static string Keyboard(string text) => KeyboardWord().IsMatch(text) ? ""
        : $"'{text}' is no word for a keyboard: see keyboard(5)";

    public static string TimeZone(string text) =>
        ZoneName().IsMatch(text) && TimeZoneInfo.TryFindSystemTimeZoneById(text, out TimeZoneInfo? zone) && zone.HasIanaId
            ? "" : $"there is no time zone '{text}': use a name such as Europe/Berlin, or UTC";

    public static string Ssid(string text) =>
        Encoding.UTF8.GetByteCount(text) is >= 1 and <= 32 && !text.Any(char.IsControl) ? ""
            : "the name of a Wi-Fi network has 1 to 32 bytes";

    public static string Country(string text) => CountryCode().IsMatch(text) ? ""
        : $"'{text}' is no country: use its two letters, such as DE";

    /// <summary>Says nothing of the passphrase itself.</summary>
    public static string Passphrase(string text) =>
        text.Length is >= 8 and <= 63 && text.All(ch => ch is >= ' ' and <= '~') || text.Length == 64 && text.All(char.IsAsciiHexDigit)
            ? "" : "a passphrase of WPA has 8 to 63 ASCII characters, or is a key of 64 hex digits";

    public static string Interface(string text) =>
        MacAddress.TryParse(text, out _) || InterfaceName().IsMatch(text) ? ""
            : $"'{text}' is no network interface: give its name, such as eth0, or its MAC address";

    /// <summary>A host's address, which the subnet's own and its broadcast address are not (RFC 1122, 3.2.1.3; RFC 4291, 2.6.1).</summary>
    public static string Network(string text)
    {
        if (!TryReadNetwork(text, out IPAddress? address, out IPNetwork subnet))
        {
            return $"'{text}' is no address with its prefix, such as 10.0.0.5/24";
        }
        return address.Equals(subnet.BaseAddress) && subnet.PrefixLength < Bits(address) - 1
            ? $"{address} is the address of the subnet {subnet} itself, not of a host in it"
            : IsBroadcast(address, subnet) ? $"{address} is the broadcast address of the subnet {subnet}, not of a host in it"
            : "";
    }

    /// <summary>What is wrong with a gateway of a host.</summary>
    /// <param name="gateway">For which <see cref="Address"/> holds.</param>
    /// <param name="network">For which <see cref="Network"/> holds.</param>
    public static string Gateway(string gateway, string network)
    {
        var router = IPAddress.Parse(gateway);
        _ = TryReadNetwork(network, out IPAddress? address, out IPNetwork subnet);
        return router.IsIPv6LinkLocal && address!.AddressFamily == router.AddressFamily ? ""
            : !subnet.Contains(router) ? $"the gateway {gateway} is not in the subnet {subnet} of the address: the node could not reach it"
            : router.Equals(address) ? $"the gateway {gateway} is the node's own address"
            : Network($"{router}/{subnet.PrefixLength}");
    }

    private static bool TryReadNetwork(string text, [NotNullWhen(true)] out IPAddress? address, out IPNetwork subnet)
    {
        (address, subnet) = (null, default);
        if (text.Split('/') is not [var host, var prefix] || !IPAddress.TryParse(host, out address) || !IsWritten(address, host) ||
            !int.TryParse(prefix, NumberStyles.None, CultureInfo.InvariantCulture, out int length) || length < 1 || length > Bits(address))
        {
            return false;
        }
        byte[] bytes = address.GetAddressBytes();
        for (int bit = length; bit < Bits(address); bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }
        subnet = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }

    private static bool IsBroadcast(IPAddress address, IPNetwork subnet) => address.AddressFamily == AddressFamily.InterNetwork &&
        subnet.PrefixLength < Bits(address) - 1 &&
        Enumerable.Range(subnet.PrefixLength, Bits(address) - subnet.PrefixLength)
            .All(bit => (address.GetAddressBytes()[bit / 8] & (0x80 >> (bit % 8))) != 0);

    private static int Bits(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;

    public static string Address(string text) => IPAddress.TryParse(text, out IPAddress? ip) && IsWritten(ip, text) ? ""
        : $"'{text}' is no IP address";

    public static string Package(string text) => PackageName().IsMatch(text) ? "" : $"'{text}' is no name of a package";

    public static string Path(string text) =>
        text.Length is < 2 or > MaximumPath || text[0] != '/' || text.Any(char.IsControl)
            || text[1..].Split('/').Any(part => part is "" or "." or "..")
            ? $"'{text}' is no path of a file: it is absolute, such as /etc/motd, and has no '..'"
        : s_closed.FirstOrDefault(folder => text == folder || text.StartsWith(folder + "/", StringComparison.Ordinal)) is { } closed
            ? $"nothing can be written in {closed}"
        : "";

    public static string Owner(string text) =>
        text.Split(':') is { Length: 1 or 2 } words && words.All(AccountName().IsMatch) ? ""
            : $"'{text}' is no owner: name a user, or a user and a group as 'pi:users'";

    public static string Mode(string text) => OctalMode().IsMatch(text) ? "" : $"'{text}' is no mode: give it in octal, such as 0644";

    public static string Script(string text) =>
        !text.StartsWith("#!", StringComparison.Ordinal) ? "a script's first line names its interpreter, such as #!/bin/sh"
        // The kernel takes the CR for a part of the interpreter's name: "no such file".
        : text.Contains("\r\n", StringComparison.Ordinal)
            ? "the script has the line ends of Windows (CR LF), and would not run: save it with those of Unix (LF)"
        : "";

    public static string UserData(string text) =>
        s_userData.Any(start => text.StartsWith(start, StringComparison.Ordinal)) ? ""
            : "user-data of cloud-init begins with a line such as #cloud-config";

    public static string ValueName(string text) => VariableName().IsMatch(text) ? ""
        : $"'{text}' is no name for a value: use letters, digits and '_', a letter first, at most 64";

    /// <summary>IPAddress reads "10.1" and "010.0.0.1" too, which mean other things elsewhere.</summary>
    private static bool IsWritten(IPAddress ip, string text) => ip.AddressFamily == AddressFamily.InterNetworkV6
        ? !text.Contains('%', StringComparison.Ordinal) : ip.ToString() == text;

    [GeneratedRegex(@"\A[a-z0-9_-]{1,64}\z")]
    private static partial Regex ProperName();

    [GeneratedRegex(@"\A[a-z_][a-z0-9_-]{0,31}\z")]
    private static partial Regex AccountName();

    [GeneratedRegex(@"\A(/[A-Za-z0-9._+-]+)+\z")]
    private static partial Regex ShellPath();

    [GeneratedRegex(@"\A\$(y|gy|7|2[abxy]|6|5)\$[./A-Za-z0-9$=,]{10,300}\z")]
    private static partial Regex CryptHash();

    [GeneratedRegex(@"\A(C|[a-z]{2,3}_[A-Z]{2})\.UTF-8\z")]
    private static partial Regex LocaleName();

    [GeneratedRegex(@"\A[A-Za-z0-9_,:()+-]{0,100}\z")]
    private static partial Regex KeyboardWord();

    [GeneratedRegex(@"\A[A-Za-z0-9_+/-]{1,64}\z")]
    private static partial Regex ZoneName();

    [GeneratedRegex(@"\A[A-Z]{2}\z")]
    private static partial Regex CountryCode();

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9_-]{0,14}\z")]
    private static partial Regex InterfaceName();

    [GeneratedRegex(@"\A0?[0-7]{3}\z")]
    private static partial Regex OctalMode();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]{0,63}\z")]
    private static partial Regex VariableName();

    // Debian's, with an architecture; RPM's, apk's and pacman's have capitals, underscores and @ besides. Never an option.
    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9+._@:-]{0,199}\z")]
    private static partial Regex PackageName();
}
