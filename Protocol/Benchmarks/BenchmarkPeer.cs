namespace Bootstrap.Protocol.Benchmarks;

/// <summary>The other end of a benchmark of the network.</summary>
public enum PeerKind
{
    /// <summary>The network is not measured.</summary>
    None,

    /// <summary>The appliance.</summary>
    Appliance,

    /// <summary>Another node of the same job.</summary>
    Node,
}

/// <summary>Who is at the other end, and how it is reached.</summary>
/// <param name="Name">As people know it.</param>
/// <param name="Host">Its address; empty: the appliance, wherever the node has its files from.</param>
/// <param name="Port">TCP; of the appliance, that of its files.</param>
/// <param name="Secret">Both ends know it, and it never crosses the wire: who does not is not answered.</param>
public sealed record BenchmarkPeer(string Name, string Host, int Port, byte[] Secret);
