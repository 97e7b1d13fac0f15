using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using static Bootstrap.Installer.SystemConfiguration;

namespace Bootstrap.Installer;

/// <summary>Static addresses and Wi-Fi, in the words of whatever configures the image's network.</summary>
internal static class ProfileNetwork
{
    private const string WirelessInterface = "wlan0";
    private const string Unit = "/etc/systemd/system/multi-user.target.wants";
    private const string Supplicant = "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf";

    /// <summary>Writes the files.</summary>
    /// <exception cref="InstallException">The image has nothing that is known here to configure its network, or not this way.</exception>
    public static void Apply(RootedFolder root, SystemProfile profile)
    {
        if (profile.Wireless is { } wireless)
        {
            AllowRadio(root, wireless.Country);
        }
        if (profile.Networks.Count == 0 && profile.Wireless is null)
        {
            return;
        }
        // Where there are two, the earlier one here is the one that Debian and Raspberry Pi OS use.
        if (root.Exists("/usr/sbin/NetworkManager"))
        {
            WriteKeyfiles(root, profile);
        }
        else if (root.Exists("/usr/sbin/netplan"))
        {
            WriteText(root, "/etc/netplan/90-bootstrap.yaml", Netplan(profile), OwnerFile);
        }
        else if (root.Names(Unit).Contains("systemd-networkd.service"))
        {
            WriteNetworkd(root, profile);
        }
        else if (root.Exists("/usr/sbin/ifup"))
        {
            WriteInterfaces(root, profile);
        }
        else
        {
            throw new InstallException(
                "the profile sets up the network, and this image has neither NetworkManager nor netplan, systemd-networkd (enabled) or " +
                "ifupdown to do so", final: true);
        }
    }

    /// <summary>Raspberry Pi OS leaves the radio off until it knows the country (rfkill, and NetworkManager's own switch).</summary>
    private static void AllowRadio(RootedFolder root, string country)
    {
        WriteText(root, "/etc/modprobe.d/bootstrap-wifi.conf", $"options cfg80211 ieee80211_regdom={country}\n", PublicFile);
        foreach (string name in root.Names("/var/lib/systemd/rfkill").Where(name => name.EndsWith(":wlan", StringComparison.Ordinal)))
        {
            WriteText(root, $"/var/lib/systemd/rfkill/{name}", "0\n", PublicFile);
        }
        const string state = "/var/lib/NetworkManager/NetworkManager.state";
        if (root.Exists(state))
        {
            WriteText(root, state, "[main]\nNetworkingEnabled=true\nWirelessEnabled=true\nWWANEnabled=true\n", OwnerFile);
        }
    }

    // ---- NetworkManager (nm-settings-keyfile(5)) -----------------------------------------------------------------------

    private static void WriteKeyfiles(RootedFolder root, SystemProfile profile)
    {
        foreach (SystemNetwork network in profile.Networks.Where(n => !IsWireless(n)))
        {
            string name = $"bootstrap-{FileName(network)}";
            string match = IsMac(network) ? $"\n[ethernet]\nmac-address={network.Interface.ToUpperInvariant()}\n" : "";
            string connection = $"[connection]\nid={name}\ntype=ethernet\nautoconnect-priority=100\n" +
                $"{(IsMac(network) ? "" : $"interface-name={network.Interface}\n")}";
            WriteText(root, $"/etc/NetworkManager/system-connections/{name}.nmconnection", connection + match + KeyfileAddress(network),
                OwnerFile);
        }
        if (profile.Wireless is { } wireless)
        {
            SystemNetwork? network = profile.Networks.FirstOrDefault(IsWireless);
            // The name as a list of bytes: every one is possible in it.
            string ssid = string.Concat(Encoding.UTF8.GetBytes(wireless.Ssid).Select(b => $"{b};"));
            string security = wireless.Passphrase.Length > 0
                ? $"\n[wifi-security]\nkey-mgmt=wpa-psk\npsk={KeyfileValue(wireless.Passphrase)}\n" : "";
            WriteText(root, "/etc/NetworkManager/system-connections/bootstrap-wifi.nmconnection",
                $"[connection]\nid=bootstrap-wifi\ntype=wifi\n\n[wifi]\nmode=infrastructure\n" +
                $"ssid={ssid}\n{(wireless.Hidden ? "hidden=true\n" : "")}{security}" +
                (network is null ? "\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n" : KeyfileAddress(network)), OwnerFile);
        }
    }

    private static string KeyfileAddress(SystemNetwork network)
    {
        string own = IsIPv6(network.Address) ? "ipv6" : "ipv4", other = IsIPv6(network.Address) ? "ipv4" : "ipv6";
        string gateway = network.Gateway.Length > 0 ? $"gateway={network.Gateway}\n" : "";
        string Servers(bool six) => network.Dns.Where(d => IsIPv6(d) == six).ToArray() is { Length: > 0 } servers
            ? $"dns={string.Concat(servers.Select(d => d + ';'))}\n" : "";
        return $"\n[{own}]\nmethod=manual\naddress1={network.Address}\n{gateway}{Servers(IsIPv6(network.Address))}" +
            $"\n[{other}]\nmethod=auto\n{Servers(!IsIPv6(network.Address))}";
    }

    /// <summary>A key file's value: a backslash begins an escape, and a space at its beginning would be lost.</summary>
    private static string KeyfileValue(string text)
    {
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal);
        return escaped[0] == ' ' ? $"\\s{escaped[1..]}" : escaped;
    }

    // ---- netplan -------------------------------------------------------------------------------------------------------

    private static string Netplan(SystemProfile profile)
    {
        var text = new StringBuilder("network:\n  version: 2\n");
        SystemNetwork[] wired = [.. profile.Networks.Where(n => !IsWireless(n))];
        if (wired.Length > 0)
        {
            text.Append("  ethernets:\n");
        }
        foreach (SystemNetwork network in wired)
        {
            text.Append($"    {(IsMac(network) ? $"bootstrap-{FileName(network)}" : network.Interface)}:\n");
            text.Append(IsMac(network) ? $"      match: {{macaddress: \"{network.Interface}\"}}\n" : "");
            AddNetplanAddress(text, network);
        }
        if (profile.Wireless is { } wireless)
        {
            string access = (wireless.Hidden ? "hidden: true, " : "") +
                (wireless.Passphrase.Length > 0 ? $"password: {Quoted(wireless.Passphrase)}" : "");
            text.Append($"  wifis:\n    {WirelessInterface}:\n      regulatory-domain: {Quoted(wireless.Country)}\n      " +
                $"access-points:\n        {Quoted(wireless.Ssid)}: {{{access.TrimEnd(',', ' ')}}}\n");
            if (profile.Networks.FirstOrDefault(IsWireless) is { } network)
            {
                AddNetplanAddress(text, network);
            }
            else
            {
                text.Append("      dhcp4: true\n");
            }
        }
        return text.ToString();
    }

    private static void AddNetplanAddress(StringBuilder text, SystemNetwork network)
    {
        text.Append($"      dhcp4: false\n      addresses: [\"{network.Address}\"]\n");
        if (network.Gateway.Length > 0)
        {
            text.Append($"      routes: [{{to: default, via: \"{network.Gateway}\"}}]\n");
        }
        if (network.Dns.Count > 0)
        {
            text.Append($"      nameservers: {{addresses: [{string.Join(", ", network.Dns.Select(d => $"\"{d}\""))}]}}\n");
        }
    }

    // ---- systemd-networkd (systemd.network(5)) -------------------------------------------------------------------------

    private static void WriteNetworkd(RootedFolder root, SystemProfile profile)
    {
        foreach (SystemNetwork network in profile.Networks)
        {
            // Before the image's own files, of which the first that fits counts.
            WriteText(root, $"/etc/systemd/network/05-bootstrap-{FileName(network)}.network",
                $"[Match]\n{(IsMac(network) ? "MACAddress" : "Name")}={network.Interface}\n\n[Network]\nAddress={network.Address}\n" +
                (network.Gateway.Length > 0 ? $"Gateway={network.Gateway}\n" : "") + string.Concat(network.Dns.Select(d => $"DNS={d}\n")),
                PublicFile);
        }
        if (profile.Wireless is { } wireless)
        {
            if (!profile.Networks.Any(IsWireless))
            {
                WriteText(root, $"/etc/systemd/network/05-bootstrap-{WirelessInterface}.network",
                    $"[Match]\nName={WirelessInterface}\n\n[Network]\nDHCP=yes\n", PublicFile);
            }
            WriteSupplicant(root, wireless);
            root.Link($"{Unit}/wpa_supplicant@{WirelessInterface}.service", "/lib/systemd/system/wpa_supplicant@.service");
        }
        if (profile.Networks.Any(n => n.Dns.Count > 0) && !root.Exists("/usr/lib/systemd/systemd-resolved"))
        {
            WriteResolver(root, profile);
        }
    }

    // ---- ifupdown (interfaces(5)) --------------------------------------------------------------------------------------

    private static void WriteInterfaces(RootedFolder root, SystemProfile profile)
    {
        if (profile.Networks.FirstOrDefault(IsMac) is { } unnamed)
        {
            throw new InstallException(
                $"this image's network is configured by ifupdown, which knows interfaces by their names alone: name the interface in " +
                $"the place of {unnamed.Interface} in the profile", final: true);
        }
        var text = new StringBuilder();
        foreach (SystemNetwork network in profile.Networks)
        {
            text.Append($"auto {network.Interface}\niface {network.Interface} {(IsIPv6(network.Address) ? "inet6" : "inet")} static\n  " +
                $"  address {network.Address}\n");
            text.Append(network.Gateway.Length > 0 ? $"    gateway {network.Gateway}\n" : "");
            text.Append(network.Dns.Count > 0 ? $"    dns-nameservers {string.Join(' ', network.Dns)}\n" : "");
            text.Append(IsWireless(network) && profile.Wireless is not null ? $"    wpa-conf {Supplicant}\n" : "");
        }
        if (profile.Wireless is { } wireless)
        {
            WriteSupplicant(root, wireless);
            text.Append(profile.Networks.Any(IsWireless) ? ""
                : $"auto {WirelessInterface}\niface {WirelessInterface} inet dhcp\n    wpa-conf {Supplicant}\n");
        }
        string[] ours = [.. profile.Networks.Select(n => n.Interface),
            .. profile.Wireless is null ? Array.Empty<string>() : [WirelessInterface]];
        string before = root.ReadText("/etc/network/interfaces") ?? "auto lo\niface lo inet loopback\n";
        const string source = "source /etc/network/interfaces.d/*";
        string kept = WithoutInterfaces(before, ours);
        WriteText(root, "/etc/network/interfaces",
            kept.Contains(source, StringComparison.Ordinal) ? kept : $"{kept.TrimEnd('\n')}\n{source}\n", PublicFile);
        WriteText(root, "/etc/network/interfaces.d/bootstrap", text.ToString(), PublicFile);
        if (profile.Networks.Any(n => n.Dns.Count > 0) && !root.Exists("/usr/sbin/resolvconf"))
        {
            WriteResolver(root, profile);
        }
    }

    /// <summary>The file without what it says of these interfaces: two stanzas of one would both be obeyed.</summary>
    private static string WithoutInterfaces(string text, string[] names)
    {
        var kept = new List<string>();
        bool dropping = false;
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            string[] words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["iface", var named, ..])
            {
                dropping = names.Contains(named);
            }
            else if (words is ["auto" or "allow-hotplug" or "allow-auto" or "mapping" or "source" or "source-directory", ..])
            {
                dropping = false;
                if (words[0] is "auto" or "allow-hotplug" or "allow-auto")
                {
                    string[] left = [.. words.Skip(1).Except(names)];
                    if (left.Length > 0)
                    {
                        kept.Add($"{words[0]} {string.Join(' ', left)}");
                    }
                    continue;
                }
            }
            if (!dropping)
            {
                kept.Add(line);
            }
        }
        return string.Join('\n', kept) + '\n';
    }

    // ---- shared --------------------------------------------------------------------------------------------------------

    private static void WriteSupplicant(RootedFolder root, SystemWireless wireless)
    {
        if (!root.Exists("/sbin/wpa_supplicant") && !root.Exists("/usr/sbin/wpa_supplicant"))
        {
            throw new InstallException("the profile has a Wi-Fi network, and this image has no wpa_supplicant to join it", final: true);
        }
        string security = wireless.Passphrase.Length == 0 ? "key_mgmt=NONE"
            : IsKey(wireless.Passphrase) ? $"psk={wireless.Passphrase}"
            : $"psk=\"{wireless.Passphrase}\"";
        WriteText(root, Supplicant,
            $"ctrl_interface=/run/wpa_supplicant\ncountry={wireless.Country}\n" +
            $"network={{\n\tssid={Convert.ToHexStringLower(Encoding.UTF8.GetBytes(wireless.Ssid))}\n" +
            $"\t{(wireless.Hidden ? "scan_ssid=1\n\t" : "")}{security}\n}}\n", OwnerFile);
    }

    private static void WriteResolver(RootedFolder root, SystemProfile profile) =>
        WriteText(root, "/etc/resolv.conf",
        string.Concat(profile.Networks.SelectMany(n => n.Dns).Distinct().Select(d => $"nameserver {d}\n")), PublicFile);

    /// <summary>A key in hex, and no passphrase that it would be made from.</summary>
    private static bool IsKey(string passphrase) => passphrase.Length == 64;

    private static bool IsMac(SystemNetwork network) => MacAddress.TryParse(network.Interface, out _);

    private static bool IsWireless(SystemNetwork network) => network.Interface.StartsWith("wl", StringComparison.Ordinal);

    private static bool IsIPv6(string address) =>
        IPAddress.TryParse(address.Split('/')[0], out IPAddress? parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6;

    private static string FileName(SystemNetwork network) => network.Interface.Replace(":", "", StringComparison.Ordinal);

    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
