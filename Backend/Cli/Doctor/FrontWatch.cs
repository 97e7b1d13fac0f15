using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Cli.Doctor;

/// <summary>
/// Watches what comes in by all interfaces in front of the firewall and the routing (packet(7), SOCK_DGRAM): UDP, and the queries of IGMP. Needs CAP_NET_RAW.
/// </summary>
internal sealed class FrontWatch : IDisposable
{
    private const ushort EtherTypeIPv4 = 0x0800;
    private const int Igmp = 2, Udp = 17;
    private const byte MembershipQuery = 0x11;

    // struct sockaddr_ll: the interface's index at 4, in the machine's byte order.
    private const int IndexAt = 4;

    /// <summary>Senders remembered; more are a flood.</summary>
    private const int MaximumSenders = 1 << 16;

    private readonly Socket _socket;
    private readonly ConcurrentDictionary<(int Interface, int Port, IPAddress From), bool> _senders = new();
    private readonly ConcurrentDictionary<int, IPAddress> _queriers = new();
    private readonly Task _watching;

    private FrontWatch(Socket socket)
    {
        _socket = socket;
        _watching = WatchAsync();
    }

    /// <summary>Null where the privilege is missing.</summary>
    public static FrontWatch? TryStart()
    {
        try
        {
            return new FrontWatch(new Socket(AddressFamily.Packet, SocketType.Dgram, (ProtocolType)BinaryPrimitives.ReverseEndianness(EtherTypeIPv4)));
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Who sent something to a UDP port by an interface.</summary>
    public IReadOnlyList<IPAddress> SendersTo(int interfaceIndex, int port) =>
        [.. _senders.Keys.Where(s => s.Interface == interfaceIndex && s.Port == port).Select(s => s.From)];

    /// <summary>Who asked for members of groups last on an interface.</summary>
    public IPAddress? QuerierOn(int interfaceIndex) => _queriers.GetValueOrDefault(interfaceIndex);

    /// <summary>Ends the watching.</summary>
    public async Task StopAsync()
    {
        Dispose();
        await _watching;
    }

    public void Dispose() => _socket.Dispose();

    private async Task WatchAsync()
    {
        byte[] buffer = new byte[64];
        var sender = new SocketAddress(AddressFamily.Packet, SocketAddress.GetMaximumAddressSize(AddressFamily.Packet));
        try
        {
            while (true)
            {
                sender.Size = SocketAddress.GetMaximumAddressSize(AddressFamily.Packet); // the last packet has set it to what its sender needed
                int length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, sender);
                Take(buffer.AsSpan(0, length), BitConverter.ToInt32(sender.Buffer.Span[IndexAt..]));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private void Take(ReadOnlySpan<byte> packet, int interfaceIndex)
    {
        // RFC 791: version and length of the header in words, protocol at 9, source at 12.
        int header = packet.Length < 20 ? int.MaxValue : (packet[0] & 15) * 4;
        if (packet.Length < (long)header + 4 || packet[0] >> 4 != 4)
        {
            return;
        }
        var from = new IPAddress(packet.Slice(12, 4));
        if (packet[9] == Udp && _senders.Count < MaximumSenders)
        {
            _senders.TryAdd((interfaceIndex, BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 2)..]), from), true);
        }
        else if (packet[9] == Igmp && packet[header] == MembershipQuery)
        {
            _queriers[interfaceIndex] = from;
        }
    }
}
