using System.Net;
using System.Text.Json;
using Bootstrap.Protocol;

namespace Bootstrap.Agent.Relay;

/// <summary>One of the relays that this node is paired with.</summary>
/// <param name="Node">Its node id: its certificate must name it.</param>
/// <param name="Address">Where it is dialled, "10.2.0.7" or "10.2.0.7:1337"; null: it dials us. One of the two must name the other's
/// address.</param>
public sealed record RelayPeer(string Node, string? Address = null)
{
    /// <summary>Where it is dialled; null: it is not, or what stands there is no address.</summary>
    public IPEndPoint? EndPoint => IPEndPoint.TryParse(Address ?? "", out IPEndPoint? parsed)
        ? new IPEndPoint(parsed.Address, parsed.Port == 0 ? ServicePorts.Relay : parsed.Port) : null;
}

/// <summary>The file that makes a node a relay.</summary>
/// <param name="Peers">The relays of other networks that it is paired with; they must name this node as well.</param>
/// <param name="Port">TCP port to be dialled at.</param>
public sealed record RelayFile(IReadOnlyList<RelayPeer> Peers, int Port = ServicePorts.Relay)
{
    /// <summary>Its name, in the folder of what the appliance gave this node.</summary>
    public const string Name = "relay.json";

    /// <summary>Reads it; null where there is none.</summary>
    /// <exception cref="IOException">It cannot be used; the message says why.</exception>
    public static RelayFile? Load(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            RelayFile read = JsonSerializer.Deserialize(File.ReadAllBytes(path), AgentJson.Default.RelayFile) ??
                throw new IOException($"{path}: it is empty");
            return read.Peers.FirstOrDefault(p => p.Address is not null && p.EndPoint is null) is { } wrong
                ? throw new IOException($"{path}: '{wrong.Address}' is no address: write it as 10.2.0.7 or 10.2.0.7:{ServicePorts.Relay}")
                : read.Port is > 0 and <= 65535 ? read : throw new IOException($"{path}: there is no port {read.Port}");
        }
        catch (JsonException e)
        {
            throw new IOException($"{path}: {e.Message}", e);
        }
    }
}
