using System.Diagnostics;

namespace Bootstrap.Rack;

/// <summary>The switch of the rack and what hangs on it. Called inside the rack's network namespace.</summary>
internal static class RackNetwork
{
    /// <summary>The switch; also the appliance's interface, with this address.</summary>
    public const string Bridge = "rack0";

    /// <summary>The appliance's address and subnet.</summary>
    public const string ApplianceAddress = "10.77.0.1/24";

    /// <summary>The site's DHCP server, if there is one.</summary>
    public const string SiteAddress = "10.77.0.2/24";

    /// <summary>Makes the switch.</summary>
    public static async Task CreateAsync()
    {
        await Tool.RunAsync("ip", "link", "set", "lo", "up");
        // Its own address: else it changes to the lowest of its ports', and every neighbour's ARP entry with it. No snooping: no querier
        // here.
        await Tool.RunAsync("ip", "link", "add", Bridge, "address", "02:77:00:00:00:01", "type", "bridge", "mcast_snooping", "0");
        await Tool.RunAsync("ip", "address", "add", ApplianceAddress, "broadcast", "+", "dev", Bridge);
        await Tool.RunAsync("ip", "link", "set", Bridge, "up");
    }

    /// <summary>
    /// Starts a program in a network namespace of its own, with one cable to the switch: interface "eth0" with the given address. The
    /// program is
    /// run by a shell that waits until the cable is in.
    /// </summary>
    /// <param name="cable">Name of the cable's end at the switch, at most 11 characters.</param>
    /// <param name="mac">Hardware address of eth0.</param>
    public static async Task<Process> StartOnCableAsync(string cable, string mac, params string[] command)
    {
        await DeleteAsync(cable);
        Process process = Tool.Start(["unshare", "--net", "--", "sh", "-c", "echo ready; read go && exec \"$@\"", "sh", .. command]);
        if (await process.StandardOutput.ReadLineAsync() != "ready")
        {
            throw new RackException($"a network namespace could not be made: {(await process.StandardError.ReadToEndAsync()).Trim()}");
        }
        await Tool.RunAsync("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "address", mac,
            "netns", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await Tool.RunAsync("ip", "link", "set", cable, "master", Bridge, "up");
        await process.StandardInput.WriteLineAsync("go");
        return process;
    }

    /// <summary>Runs a program on a machine of its own: its interface eth0 has the given address, such as "10.77.0.3/24".</summary>
    public static Task<Process> StartMachineAsync(int id, string address, string[] command) => StartOnCableAsync(
        $"machine{id}", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"02:77:00:01:{id >> 8:x2}:{id & 0xff:x2}"),
            ["sh", "-c",
        "ip link set lo up; ip address add \"$1\" broadcast + dev eth0; ip link set eth0 up; shift; exec \"$@\"", "sh", address,
            .. command]);

    /// <summary>Makes a virtual machine's end of a cable.</summary>
    public static async Task CreateTapAsync(string name, string bridge)
    {
        await DeleteAsync(name);
        await Tool.RunAsync("ip", "tuntap", "add", "dev", name, "mode", "tap");
        await Tool.RunAsync("ip", "link", "set", name, "master", bridge, "up");
    }

    /// <summary>Removes an interface, such as one that a killed board has left.</summary>
    public static Task DeleteAsync(string name) => Tool.TryAsync("ip", "link", "delete", name);

    /// <summary>The DHCP server of a site that knows nothing of netbooting; lives as long as the returned process.</summary>
    public static async Task<Process> StartAddressServerAsync()
    {
        Process server = await StartOnCableAsync("site0", "02:77:00:00:00:02", "sh", "-c",
            $"ip link set lo up; ip address add {SiteAddress} broadcast + dev eth0; ip link set eth0 up; " +
            // --no-ping: else each new address is pinged for three seconds first.
            "exec dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --port=0 --interface=eth0 --no-ping " +
            "--dhcp-range=10.77.0.100,10.77.0.250,255.255.255.0,1h --dhcp-option=3 --leasefile-ro --pid-file= --user=root --group= " +
                "--log-facility=/dev/null 1>&2");
        return server;
    }
}
