using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Board.Lldp;

/// <summary>
/// Hears what switches announce (LLDP), and says nothing itself. One packet socket for all interfaces (packet(7)); each must join the
/// group, since its card would not pass the frames on. Needs CAP_NET_RAW.
/// </summary>
/// <param name="neighbours">Gets what is heard.</param>
/// <param name="interfaces">Names of the interfaces to listen to; asked again once in a while, for those that come later.</param>
/// <param name="changed">Called when an interface's neighbour is another one.</param>
/// <param name="log">Told why nothing can be heard.</param>
/// <param name="clock">Times looking.</param>
public sealed class LldpListener(
    LldpNeighbours neighbours, Func<IEnumerable<string>> interfaces, Action changed, Action<string> log, TimeProvider clock)
{
    private const ushort EtherType = 0x88cc;

    // linux/if_packet.h: setsockopt level and option, struct packet_mreq { int index; u16 type, length; u8 address[8]; }, sockaddr_ll.
    private const int SolPacket = 263, PacketAddMembership = 1, MembershipSize = 16, IndexAt = 4;
    private const ushort MembershipMulticast = 0;

    private const int MaximumFrame = 2048;

    /// <summary>"Nearest bridge": no switch passes on what is sent there.</summary>
    private static readonly byte[] s_group = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e];

    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromSeconds(15);

    private readonly Dictionary<int, string> _joined = [];

    /// <summary>Listens until it is cancelled; returns at once where it may not.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            using var socket = new Socket(
                AddressFamily.Packet, SocketType.Dgram, (ProtocolType)BinaryPrimitives.ReverseEndianness(EtherType));
            Join(socket);
            await ListenAsync(socket, cancellation).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            log($"what switches announce (LLDP) cannot be heard: {e.Message}");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }

    private async Task ListenAsync(Socket socket, CancellationToken cancellation)
    {
        byte[] buffer = new byte[MaximumFrame];
        var sender = new SocketAddress(AddressFamily.Packet, SocketAddress.GetMaximumAddressSize(AddressFamily.Packet));
        Task<int> frame = ReceiveAsync();
        Task look = Task.Delay(s_lookPeriod, clock, cancellation);
        while (true)
        {
            if (await Task.WhenAny(frame, look).ConfigureAwait(false) == frame)
            {
                Hear(buffer.AsSpan(0, await frame.ConfigureAwait(false)), BitConverter.ToInt32(sender.Buffer.Span[IndexAt..]));
                frame = ReceiveAsync();
                continue;
            }
            await look.ConfigureAwait(false);
            look = Task.Delay(s_lookPeriod, clock, cancellation);
            Join(socket);
            if (neighbours.Expire())
            {
                changed();
            }
        }

        Task<int> ReceiveAsync()
        {
            sender.Size = SocketAddress.GetMaximumAddressSize(AddressFamily.Packet); // the last frame has set it to what its sender needed
            return socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, cancellation).AsTask();
        }
    }

    private void Hear(ReadOnlySpan<byte> bytes, int index)
    {
        if (_joined.TryGetValue(index, out string? name) && LldpFrame.Read(bytes) is { } frame && neighbours.Hear(name, frame))
        {
            changed();
        }
    }

    /// <summary>An interface that went and came again has another number, and must join anew.</summary>
    private void Join(Socket socket)
    {
        Span<byte> membership = stackalloc byte[MembershipSize];
        foreach (string name in interfaces())
        {
            int index = Linux.InterfaceIndex(name);
            if (index == 0 || _joined.ContainsKey(index))
            {
                continue;
            }
            membership.Clear();
            BitConverter.TryWriteBytes(membership, index); // in the machine's byte order, as the rest of a socket's structures
            BitConverter.TryWriteBytes(membership[4..], MembershipMulticast);
            BitConverter.TryWriteBytes(membership[6..], (ushort)s_group.Length);
            s_group.CopyTo(membership[8..]);
            socket.SetRawSocketOption(SolPacket, PacketAddMembership, membership);
            _joined[index] = name;
            neighbours.Listen(name);
        }
    }
}
