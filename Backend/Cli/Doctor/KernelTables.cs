using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Doctor;

/// <summary>What the kernel says of its network, in /proc/net, /proc/sys/net and /sys/class/net. A table that is not there says
/// nothing.</summary>
internal static class KernelTables
{
    /// <summary>/proc/net/udp: datagrams dropped on all sockets of a port.</summary>
    public static long Drops(string udp, int port) =>
        // "  123: 0100000A:0539 00000000:0000 07 …" with the number of drops at the end; ports in hexadecimal.
        Rows(udp).Where(c => c.Length > 2 && c[1]
            .EndsWith(string.Create(CultureInfo.InvariantCulture, $":{port:X4}"), StringComparison.Ordinal))
            .Sum(c => long.TryParse(c[^1], CultureInfo.InvariantCulture, out long drops) ? drops : 0);

    /// <summary>/proc/net/netstat: a counter by its name.</summary>
    public static long Counter(string netstat, string name)
    {
        // A line of names, then a line of their values.
        string[][] rows = [.. netstat.Split('\n').Select(Columns)];
        for (int i = 0; i + 1 < rows.Length; i += 2)
        {
            int at = Array.IndexOf(rows[i], name);
            if (at > 0 && at < rows[i + 1].Length && long.TryParse(rows[i + 1][at], CultureInfo.InvariantCulture, out long value))
            {
                return value;
            }
        }
        return 0;
    }

    /// <summary>/proc/net/arp: the neighbours on an interface that have answered.</summary>
    public static IReadOnlyList<IPAddress> Neighbours(string arp, string interfaceName)
    {
        const int complete = 2;
        return [.. Rows(arp).Where(c => c.Length == 6 && c[5] == interfaceName && (Convert.ToInt32(c[2], 16) & complete) != 0)
            .Select(c => IPAddress.Parse(c[0]))];
    }

    /// <summary>The lines of `nft list ruleset` that drop or refuse something, as far as a reader wants them.</summary>
    public static IReadOnlyList<string> DroppingLines(string ruleset)
    {
        const int shown = 6;
        return [.. ruleset.Split('\n').Select(line => line.Trim())
            .Where(line => line.Split(' ', ';').Any(word => word is "drop" or "reject")).Take(shown)];
    }

    /// <summary>A file of the kernel, or an empty text.</summary>
    public static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>A number from a file of the kernel; 0 where there is none.</summary>
    public static long Number(string path) => long.TryParse(Read(path), CultureInfo.InvariantCulture, out long number) ? number : 0;

    /// <summary>Whether discovery can work on an interface.</summary>
    public static LinkState StateOf(NetworkInterface i)
    {
        const int flagUp = 1;
        string flags = Read($"/sys/class/net/{i.Name}/flags").Trim();
        bool isOff = flags.StartsWith("0x", StringComparison.Ordinal) && (Convert.ToInt64(flags, 16) & flagUp) == 0;
        return isOff ? LinkState.Off
            : i.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown) ? LinkState.NoCarrier
            : !i.SupportsMulticast && i.NetworkInterfaceType != NetworkInterfaceType.Loopback ? LinkState.NoMulticast
            : DiscoverySocket.IPv4(i) is null ? LinkState.NoAddress
            : LinkState.Usable;
    }

    /// <summary>True for a port of a bridge or bond, which has no address of its own.</summary>
    public static bool IsPort(NetworkInterface i) => Directory.Exists($"/sys/class/net/{i.Name}/master");

    /// <summary>Null: the interface is no bridge.</summary>
    public static BridgeFacts? BridgeOf(string interfaceName)
    {
        string folder = $"/sys/class/net/{interfaceName}";
        if (!Directory.Exists($"{folder}/bridge"))
        {
            return null;
        }
        IEnumerable<string> ports = Directory.EnumerateFileSystemEntries($"{folder}/brif").Select(Path.GetFileName).OfType<string>();
        return new BridgeFacts(
            Number($"{folder}/bridge/multicast_snooping") != 0, Number($"{folder}/bridge/multicast_querier") != 0,
            [.. ports.Where(port => Read($"/sys/class/net/{port}/brport/multicast_flood").Trim() == "0").Order(StringComparer.Ordinal)]);
    }

    private static IEnumerable<string[]> Rows(string table) => table.Split('\n').Skip(1).Select(Columns);

    private static string[] Columns(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
