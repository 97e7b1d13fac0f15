using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class DhcpSettingsTests
{
    [Fact]
    public async Task Mode_and_addresses_are_changed_while_the_appliance_runs_and_outlive_it()
    {
        await using Lab lab = await Lab.StartAsync(serve: []);
        RackProcess rival = await Udhcpd.StartAsync(lab.Rack, lab.Folder, lab.Cancel);
        JsonNode dhcp = await lab.Appliance.GetAsync("dhcp", lab.Cancel);
        Assert.Equal(("proxy", true), (Mode(dhcp), (bool)dhcp["running"]!));

        // Two servers would give the same addresses: the proxy goes on.
        RackException refusal = await Assert.ThrowsAsync<RackException>(() => SetAsync(lab, new { mode = "full" }));
        Assert.Contains($"Nothing was changed: another DHCP server, {Udhcpd.Address}, answers on", refusal.Message,
            StringComparison.Ordinal);
        await BootAsync(lab, 1);
        dhcp = await lab.Appliance.GetAsync("dhcp", lab.Cancel);
        Assert.Equal(("proxy", true), (Mode(dhcp), (bool)dhcp["running"]!));
        Assert.Empty(dhcp["leases"]!.AsArray());

        await rival.DisposeAsync();
        dhcp = await SetAsync(lab, new
        {
            mode = "full",
            pools = new[] { "10.77.0.0/24,10.77.0.60-10.77.0.69" },
            reservations = new[] { "10.77.0.20=02:77:00:01:00:03" }
        });
        Assert.Equal("full", Mode(dhcp));
        await BootAsync(lab, 2);
        await ObtainAsync(lab, machine: 3, "10.77.0.20");
        JsonArray leases = (await lab.Appliance.GetAsync("dhcp", lab.Cancel))["leases"]!.AsArray();
        Assert.Equal("10.77.0.20", leases[0].Text("address"));
        Assert.Matches("^10[.]77[.]0[.]6[0-9]$", leases[1].Text("address"));

        await lab.KillApplianceAsync();
        await lab.StartApplianceAsync();
        dhcp = await lab.Appliance.GetAsync("dhcp", lab.Cancel);
        Assert.Equal(("full", true), (Mode(dhcp), (bool)dhcp["running"]!));
        await ObtainAsync(lab, machine: 3, "10.77.0.20");

        Assert.Equal("off", Mode(await SetAsync(lab, new { mode = "off" })));
        await using RackProcess client = await StartClientAsync(lab, machine: 4);
        Assert.NotEqual(0, await client.Exited.WaitAsync(lab.Cancel));
    }

    private static string Mode(JsonNode dhcp) => dhcp["settings"].Text("mode");

    private static Task<JsonNode> SetAsync(Lab lab, object settings) =>
        lab.Appliance.SendAsync(HttpMethod.Put, "dhcp", JsonContent.Create(settings), lab.Cancel);

    /// <summary>The ROM of a Raspberry Pi fetches all that it boots.</summary>
    private static async Task BootAsync(Lab lab, int round)
    {
        await using RackProcess rom = await lab.Rack.StartAsync(
            [.. Namespaces.Self, "roms", "--count", "1", "--kind", "raspi4", "--folder", Path.Combine(lab.Folder, $"loaded-{round}")]);
        Assert.True(await rom.Exited.WaitAsync(lab.Cancel) == 0, string.Join('\n', rom.Output.Lines));
    }

    private static async Task ObtainAsync(Lab lab, int machine, string address)
    {
        await using RackProcess client = await StartClientAsync(lab, machine);
        await client.Exited.WaitAsync(lab.Cancel);
        Assert.Contains(client.Errors.Lines.Concat(client.Output.Lines), line =>
            line.Contains($"lease of {address} obtained", StringComparison.Ordinal));
    }

    private static Task<RackProcess> StartClientAsync(Lab lab, int machine) => lab.Rack.StartMachineAsync(machine, "192.0.2.1/32",
        ["busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "4", "-s", "/bin/true"]);
}
