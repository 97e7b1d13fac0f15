using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bootstrap.Netboot.Ethernet;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// Asks for an address as a client would, to hear whether another DHCP server is there: two that do not know of each other would
/// hand out the same addresses.
/// </summary>
internal static class RivalSearch
{
    private const int ServerPort = 67;
    private const int ClientPort = 68;
    private const int Questions = 2;

    // A server that pings an address before it offers it is silent for three seconds (dnsmasq).
    private static readonly TimeSpan s_offerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The address of another DHCP server on the wire; null if none answers within four seconds, or the interface is
    /// down.</summary>
    /// <exception cref="NetbootException">This program may not ask.</exception>
    public static async Task<IPAddress?> FindAsync(string interfaceName, TimeProvider clock, CancellationToken cancel)
    {
        try
        {
            using var socket = new PacketSocket(interfaceName, PacketSocket.EtherTypeIPv4);
            uint transaction = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
            ReadOnlyMemory<byte> discover = Discover(transaction, socket.OwnMac);
            for (int i = 0; i < Questions; i++)
            {
                await socket.SendAsync(PacketSocket.Everybody, PacketSocket.EtherTypeIPv4, discover, cancel);
                if (await HearAsync(socket, transaction, clock, cancel) is { } rival)
                {
                    return rival;
                }
            }
            return null;
        }
        catch (SocketException reason) when (reason.SocketErrorCode == SocketError.AccessDenied)
        {
            throw NetbootException.MayNotUsePackets(interfaceName, reason);
        }
        catch (SocketException)
        {
            return null; // no cable yet
        }
    }

    private static ReadOnlyMemory<byte> Discover(uint transaction, MacAddress own)
    {
        byte[] message = new DhcpMessage
        {
            IsRequest = true,
            TransactionId = transaction,
            Broadcast = true,
            Mac = own,
            Options =
            [
                DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)DhcpMessageType.Discover),
                new DhcpOption(DhcpOptionCode.ParameterRequestList, new[] { (byte)DhcpOptionCode.SubnetMask, (byte)DhcpOptionCode.Router }),
            ],
        }.ToArray(pad: true);
        byte[] packet = new byte[UdpPacket.HeaderSize + message.Length];
        UdpPacket.Write(packet, new IPEndPoint(IPAddress.Any, ClientPort), new IPEndPoint(IPAddress.Broadcast, ServerPort), message);
        return packet;
    }

    private static async Task<IPAddress?> HearAsync(PacketSocket socket, uint transaction, TimeProvider clock, CancellationToken cancel)
    {
        using var timeout = new CancellationTokenSource(s_offerTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        byte[] packet = new byte[2048];
        try
        {
            while (true)
            {
                int length = await socket.ReceiveAsync(packet, either.Token);
                if (UdpPacket.TryRead(packet.AsSpan(0, length), ClientPort, out ReadOnlySpan<byte> payload)
                    && DhcpMessage.TryParse(payload, out DhcpMessage? offer) &&
                    !offer.IsRequest && offer.TransactionId == transaction && offer.Type == DhcpMessageType.Offer
                        && !offer.YourAddress.Equals(IPAddress.Any))
                {
                    return offer.FindAddress(DhcpOptionCode.ServerIdentifier) ?? offer.NextServer;
                }
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }
}
