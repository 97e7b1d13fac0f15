using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Board;

/// <summary>Physical network interfaces in /sys/class/net.</summary>
internal static class NetworkInterfaceReader
{
    /// <summary>In the order in which the kernel found them: the first one's address may name the board.</summary>
    public static IReadOnlyList<NetworkInterfaceInfo> Read(
        SysFile sys, Func<string, IReadOnlyList<string>> addresses, Func<string, SwitchPort?> switchOf) =>
        [.. sys.Names("sys/class/net")
            // Bridges, tunnels, veth and loopback have no device behind them.
            .Where(name => Directory.Exists(sys.Path($"sys/class/net/{name}/device")))
            .OrderBy(name => sys.Number($"sys/class/net/{name}/ifindex") ?? long.MaxValue)
            .Select(name => Describe(sys, name, addresses, switchOf))
            .OfType<NetworkInterfaceInfo>()];

    private static NetworkInterfaceInfo? Describe(
        SysFile sys, string name, Func<string, IReadOnlyList<string>> addresses, Func<string, SwitchPort?> switchOf)
    {
        string at = $"sys/class/net/{name}";
        if (!MacAddress.TryParse(sys.Text($"{at}/address"), out MacAddress mac))
        {
            return null;
        }
        // USB adapters in QEMU say "unknown" while they work; their carrier is true.
        bool up = sys.Text($"{at}/operstate") == "up" || sys.Number($"{at}/carrier") == 1;
        string driver = Directory.Exists(sys.Path($"{at}/device/driver")) ? Path.GetFileName(sys.Target($"{at}/device/driver")) : "";
        // Without a link some drivers refuse to say, some say -1.
        int speed = up && sys.Number($"{at}/speed") is > 0 and < int.MaxValue and var megabits ? (int)megabits : 0;
        return new NetworkInterfaceInfo(name, mac, up, addresses(name), driver, speed, switchOf(name));
    }

    /// <summary>Addresses of an interface of the running system, IPv4 first.</summary>
    public static IReadOnlyList<string> LiveAddresses(string name) =>
        [.. NetworkInterface.GetAllNetworkInterfaces().Where(i => i.Name == name)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .Select(a => a.ToString())];
}
