using System.Buffers.Binary;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Boot.Dhcp;

/// <summary><c>/dhcp</c>: how addresses and boot information are given, and to whom.</summary>
internal static class DhcpEndpoints
{
    /// <param name="Fixed">Set on the command line, and not to be changed here.</param>
    /// <param name="Running">It answers now.</param>
    /// <param name="Fault">Why it does not.</param>
    internal sealed record DhcpView(DhcpSettings Settings, bool Fixed, bool Running, string? Fault, IReadOnlyList<string> Interfaces,
        IReadOnlyList<LeaseView> Leases);

    /// <param name="Node">Name of the node that has this hardware address.</param>
    /// <param name="Until">Unix milliseconds.</param>
    internal sealed record LeaseView(string Address, MacAddress Mac, string? Node, long Until);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/dhcp",
            (DhcpService dhcp, ILeaseStore leases, NodeDirectory nodes, TimeProvider clock) => View(dhcp, leases, nodes, clock));
        api.MapPut("/dhcp", async (
            DhcpSettings wanted, DhcpService dhcp, ILeaseStore leases, NodeDirectory nodes, TimeProvider clock,
            CancellationToken cancellation) =>
            dhcp.IsFixed ? Problems.Conflict("DHCP was set on the command line: start the appliance without --dhcp to set it here.") :
            wanted.Validate() is { } fault ? Problems.Bad(fault) :
            await dhcp.ChangeAsync(wanted, cancellation) is { } refusal ? Problems.Conflict($"Nothing was changed: {refusal}.") :
            Results.Ok(View(dhcp, leases, nodes, clock))).WithSummary("Change DHCP");
    }

    private static DhcpView View(DhcpService dhcp, ILeaseStore leases, NodeDirectory nodes, TimeProvider clock)
    {
        DateTimeOffset now = clock.GetUtcNow();
        var names = new Dictionary<MacAddress, string>();
        foreach (NodeView node in nodes.List())
        {
            foreach (NetworkInterfaceInfo card in node.Inventory.Interfaces)
            {
                names[card.Mac] = node.Name;
            }
        }
        return new DhcpView(dhcp.Settings, dhcp.IsFixed, dhcp.Mode != DhcpMode.Off, dhcp.Fault, dhcp.Interfaces,
            [.. leases.Load().Where(lease => lease.Expires > now)
                .OrderBy(lease => BinaryPrimitives.ReadUInt32BigEndian(lease.Address.GetAddressBytes()))
                .Select(lease => new LeaseView(lease.Address.ToString(), lease.Mac, names.GetValueOrDefault(lease.Mac),
                    lease.Expires.ToUnixTimeMilliseconds()))]);
    }
}
