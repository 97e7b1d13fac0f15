using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Doctor;

/// <summary>
/// Watches what comes in by all interfaces in front of the firewall and the routing (packet(7), SOCK_DGRAM): UDP, and the queries of IGMP.
/// Needs CAP_NET_RAW.
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

    private static readonly byte[] s_group = IPAddress.Parse(DiscoveryMessage.Group).GetAddressBytes();

    private readonly Socket _socket;
    private readonly ConcurrentDictionary<(int Interface, int Port, IPAddress From), long> _senders = new();
    private readonly ConcurrentDictionary<int, IPAddress> _queriers = new();
    private readonly Task _watching;

    private readonly TimeProvider _clock;

    private FrontWatch(Socket socket, TimeProvider clock)
    {
        (_socket, _clock) = (socket, clock);
        _watching = WatchAsync();
    }

    /// <summary>Null where the privilege is missing.</summary>
    public static FrontWatch? TryStart(TimeProvider clock)
    {
        try
        {
            return new FrontWatch(new Socket(AddressFamily.Packet, SocketType.Dgram,
                (ProtocolType)BinaryPrimitives.ReverseEndianness(EtherTypeIPv4)), clock);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Who sent something to a UDP port by an interface; to discovery's own port: to its group.</summary>
    /// <param name="interfaceIndex">The interface.</param>
    /// <param name="port">Of this machine.</param>
    /// <param name="since">A timestamp of the clock; what came before does not count.</param>
    public IReadOnlyList<IPAddress> SendersTo(int interfaceIndex, int port, long since) =>
        [.. _senders.Where(s => s.Key.Interface == interfaceIndex && s.Key.Port == port && s.Value >= since).Select(s => s.Key.From)];

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
                // the last packet has set it to what its sender needed
                sender.Size = SocketAddress.GetMaximumAddressSize(AddressFamily.Packet);
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
        // RFC 791: version and length of the header in words, protocol at 9, source at 12, destination at 16.
        int header = packet.Length < 20 ? int.MaxValue : (packet[0] & 15) * 4;
        if (packet.Length < (long)header + 4 || packet[0] >> 4 != 4)
        {
            return;
        }
        var from = new IPAddress(packet.Slice(12, 4));
        if (packet[9] == Udp && _senders.Count < MaximumSenders)
        {
            int port = BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 2)..]);
            // Other groups use that port too, and what is sent to this machine alone may be for another program's socket.
            if (port != ServicePorts.Discovery || packet.Slice(16, 4).SequenceEqual(s_group))
            {
                _senders[(interfaceIndex, port, from)] = _clock.GetTimestamp();
            }
        }
        else if (packet[9] == Igmp && packet[header] == MembershipQuery)
        {
            _queriers[interfaceIndex] = from;
        }
    }
}
