using System.Net;
using System.Net.Sockets;
using Bootstrap.Netboot.Ethernet;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// Looks whether somebody uses an address, before it is offered (RFC 2131 §2.2), by ARP: every station on the wire must answer that, also
/// one that drops pings.
/// </summary>
internal sealed class AddressProbe(string interfaceName, TimeProvider clock)
{
    private const int Questions = 2;
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromMilliseconds(250);

    /// <summary>Who answers for the address; null after half a second of silence, or where the interface cannot be asked for the
    /// moment.</summary>
    public async ValueTask<MacAddress?> FindHolderAsync(IPAddress address, CancellationToken cancel)
    {
        try
        {
            using var socket = new PacketSocket(interfaceName, PacketSocket.EtherTypeArp);
            byte[] question = new byte[ArpMessage.Size];
            ArpMessage.Probe(socket.OwnMac, address).Write(question);
            for (int i = 0; i < Questions; i++)
            {
                await socket.SendAsync(PacketSocket.Everybody, PacketSocket.EtherTypeArp, question, cancel);
                if (await HearAsync(socket, address, cancel) is { } holder)
                {
                    return holder;
                }
            }
            return null;
        }
        catch (SocketException)
        {
            return null; // the cable is out: nobody can have it, and the offer will not arrive either
        }
    }

    private async ValueTask<MacAddress?> HearAsync(PacketSocket socket, IPAddress address, CancellationToken cancel)
    {
        using var timeout = new CancellationTokenSource(s_answerTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        byte[] packet = new byte[64];
        try
        {
            while (true)
            {
                int length = await socket.ReceiveAsync(packet, either.Token);
                // An answer, or any message of a station that says it has the address.
                if (ArpMessage.TryParse(packet.AsSpan(0, length), out ArpMessage message) && message.SenderAddress.Equals(address)
                    && message.Sender != socket.OwnMac)
                {
                    return message.Sender;
                }
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }
}
