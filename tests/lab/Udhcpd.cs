namespace Bootstrap.Lab.Tests;

/// <summary>The DHCP server of small routers, which also sends its offers past the kernel's IP.</summary>
internal static class Udhcpd
{
    /// <summary>The machine that it runs on.</summary>
    public const string Address = "10.77.0.2";

    /// <summary>Starts it on a machine of its own; it gives 10.77.0.100 to 10.77.0.250.</summary>
    /// <param name="rack">Where.</param>
    /// <param name="folder">For its files.</param>
    /// <param name="cancel">Ends the wait for it.</param>
    public static async Task<RackProcess> StartAsync(VirtualRack rack, string folder, CancellationToken cancel)
    {
        string configuration = Path.Combine(folder, "udhcpd.conf"), leases = Path.Combine(folder, "udhcpd.leases");
        await File.WriteAllTextAsync(configuration,
            $"start 10.77.0.100\nend 10.77.0.250\ninterface eth0\nlease_file {leases}\npidfile {leases}.pid\noption subnet " +
            $"255.255.255.0\noption lease 3600\n", cancel);
        await File.WriteAllTextAsync(leases, "", cancel);
        RackProcess server = await rack.StartMachineAsync(200, $"{Address}/24", ["busybox", "udhcpd", "-f", "-a", "50", configuration]);
        await server.Errors.WaitForAsync("started", cancel);
        return server;
    }
}
