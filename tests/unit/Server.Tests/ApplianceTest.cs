using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>A test that has an appliance of its own.</summary>
public abstract class ApplianceTest : IAsyncLifetime
{
    private TestAppliance? _appliance;
    private HttpClient? _api;

    /// <summary>The appliance's clock; null: the system's.</summary>
    private protected virtual TimeProvider? Clock => null;

    private protected TestAppliance Appliance => _appliance!;

    /// <summary>An administrator's way to its API.</summary>
    private protected HttpClient Api => _api!;

    /// <summary>By a token; those who need a person signed in say so.</summary>
    private protected virtual HttpClient CreateApi() => Appliance.CreateClient();

    public virtual async ValueTask InitializeAsync()
    {
        _appliance = await TestAppliance.StartAsync(clock: Clock);
        _api = CreateApi();
    }

    public virtual async ValueTask DisposeAsync()
    {
        _api!.Dispose();
        await _appliance!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A board of 64-bit Arm that has introduced itself from NetInst.</summary>
    private protected Task<SimulatedNode> ConnectAsync(string id) =>
        SimulatedNode.ConnectAsync(Appliance.Info, NodeId.Parse(id), NodeRole.NetInst, "arm64", TestContext.Current.CancellationToken);

    /// <summary>Ends a board's connection, and waits until the appliance knows.</summary>
    private protected async Task SwitchOffAsync(SimulatedNode node)
    {
        CancellationToken end = TestContext.Current.CancellationToken;
        await node.DisconnectAsync(end);
        await Poll.UntilAsync(() => Api.GetFromJsonAsync<JsonNode>($"nodes/{node.Id}", end), n => n!["link"]!.ToString() == "offline", end);
    }
}
