using System.CommandLine;
using System.Net.Http.Json;
using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap dhcp</c>.</summary>
internal static class DhcpCommands
{
    private sealed record Settings(string Mode, IReadOnlyList<string> Pools, IReadOnlyList<string> Reservations, int LeaseMinutes,
        bool BesideRivals);

    private sealed record Lease(string Address, string Mac, string? Node, long Until);

    private sealed record DhcpAnswer(Settings Settings, bool Fixed, bool Running, string? Fault, IReadOnlyList<string> Interfaces,
        IReadOnlyList<Lease> Leases);

    public static Command Create()
    {
        var mode = new Option<string>(
            "--mode")
        { Description = "proxy: beside your DHCP server. full: the only one of an isolated rack. off: none." };
        mode.AcceptOnlyFromAmong("proxy", "full", "off");
        var pools = new Option<string[]?>("--pool")
        {
            Description = "Full mode: addresses to hand out, instead of those that are set.",
            HelpName = AddressPool.Form
        };
        var reservations = new Option<string[]?>("--reserve")
        {
            Description = "Full mode: an address for one board alone, instead of " +
            "those that are set.",
            HelpName = "ADDR=MAC|SERIAL"
        };
        var lease = new Option<int?>(
            "--lease-minutes")
        { Description = "Full mode: how long an address is kept for a board that is gone." };
        var force = new Option<bool?>("--force") { Description = "Full mode: hand out addresses even where another DHCP server answers." };
        return new Command("dhcp", "How boards get addresses and find this appliance.")
        {
            new Command("show", "The settings, and whether it runs.").Does(async (client, parsed, cancellation) =>
                Show(parsed, await client.GetAsync<DhcpAnswer>("dhcp", cancellation))),
            new Command("leases", "The addresses that were given.").WithTable().Does(async (client, parsed, cancellation) =>
            {
                DhcpAnswer answer = await client.GetAsync<DhcpAnswer>("dhcp", cancellation);
                return ClientCommand.Show(parsed, answer.Leases, ["ADDRESS", "MAC", "NODE", "UNTIL"],
                    l => [l.Address, l.Mac, l.Node ?? "",
                        DateTimeOffset.FromUnixTimeMilliseconds(l.Until).ToLocalTime()
                        .ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture)]);
            }),
            new Command("set", "Change what is named; the rest stays.") { mode, pools, reservations, lease, force }
                .Does(async (client, parsed, cancellation) =>
            {
                Settings present = (await client.GetAsync<DhcpAnswer>("dhcp", cancellation)).Settings;
                Settings wanted = present with
                {
                    Mode = parsed.GetValue(mode) ?? present.Mode,
                    Pools = parsed.GetResult(pools) is null ? present.Pools : parsed.GetValue(pools) ?? [],
                    Reservations = parsed.GetResult(reservations) is null ? present.Reservations : parsed.GetValue(reservations) ?? [],
                    LeaseMinutes = parsed.GetValue(lease) ?? present.LeaseMinutes,
                    BesideRivals = parsed.GetValue(force) ?? present.BesideRivals,
                };
                return Show(parsed, await client.SendAsync<DhcpAnswer>(HttpMethod.Put, "dhcp", JsonContent.Create(wanted), cancellation));
            }),
        };
    }

    private static int Show(ParseResult parsed, DhcpAnswer answer) =>
        ClientCommand.Show(parsed, [answer], ["MODE", "RUNS", "ON", "POOLS", "RESERVATIONS", "LEASE"], a =>
    [
        a.Settings.Mode, a.Running ? "yes" : a.Fault ?? "no", string.Join(", ", a.Interfaces),
        a.Settings.Pools.Count == 0 ? "whole subnet" : string.Join(' ', a.Settings.Pools), string.Join(' ', a.Settings.Reservations),
        $"{a.Settings.LeaseMinutes} min",
    ]);
}
