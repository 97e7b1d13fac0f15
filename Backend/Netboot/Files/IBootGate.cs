using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot;

/// <summary>Decides which boards boot from the network at this moment. Called from many threads at once; must not throw.</summary>
public interface IBootGate
{
    /// <summary>
    /// Whether a boot client gets boot information. One that does not is treated as a client that asks for none: its boot program finds
    /// no boot server and goes on to the next place to boot from.
    /// </summary>
    /// <param name="mac">Its hardware address.</param>
    /// <param name="client">What it told of itself.</param>
    /// <param name="asked">Its message; a DISCOVER begins a new boot.</param>
    bool Admits(MacAddress mac, DhcpClient client, DhcpMessageType asked);
}
