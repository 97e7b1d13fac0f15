using System.Globalization;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Browser.Tests;

/// <summary>Several simulated boards.</summary>
internal sealed class Rack : IAsyncDisposable
{
    private Rack(IReadOnlyList<SimulatedNode> nodes) => Nodes = nodes;

    public IReadOnlyList<SimulatedNode> Nodes { get; }

    public static async Task<Rack> ConnectAsync(TestAppliance appliance, int count, CancellationToken cancellation)
    {
        var nodes = new List<SimulatedNode>();
        for (int i = 1; i <= count; i++)
        {
            var id = NodeId.Parse("10000000a1" + i.ToString("x6", CultureInfo.InvariantCulture));
            nodes.Add(await SimulatedNode.ConnectAsync(appliance.Info, id, NodeRole.NetInst, "arm64", cancellation));
        }
        return new Rack(nodes);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (SimulatedNode node in Nodes)
        {
            await node.DisposeAsync();
        }
    }
}
