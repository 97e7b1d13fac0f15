using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Bootstrap.Netboot.Tftp;

/// <summary>
/// The UDP port of one transfer (RFC 1350 §4), connected to its client: what others send comes to a second socket of the same port, and is
/// refused. Waits on the transfer loop without allocating: one wait at a time.
/// </summary>
internal sealed class TransferPort : IValueTaskSource<int>, IDisposable
{
    private const int SolSocket = 1, SoReuseAddress = 2;
    private const int SolIp = 0, IpMtu = 14, SolIpv6 = 41, Ipv6Mtu = 24;
    private const int SolUdp = 17;
    private const int UdpSegment = 103;

    private const int UdpHeaderSize = 8;

    /// <summary>The kernel takes at most 64 segments and 65,507 bytes at a time (UDP_MAX_SEGMENTS; udp(7)): so many of the
    /// largest.</summary>
    private const int MaxSegments = 44;

    private static readonly byte[] s_unknownTransfer = TftpPacket.Error(TftpError.UnknownTransferId, "unknown transfer");

    private readonly TransferLoop _loop;
    private readonly Socket _socket;
    private Socket? _strangers;
    private ManualResetValueTaskSourceCore<int> _wait;
    private bool _waits;
    private volatile bool _superseded, _restarted;
    private int _segment;
    private long _lastHeardAt, _forsakenAt = long.MinValue;

    /// <summary>Opens a port; clients check that replies come from the address that they asked.</summary>
    /// <exception cref="SocketException">The address is gone, or the client cannot be reached.</exception>
    public TransferPort(TransferLoop loop, IPAddress local, IPEndPoint client)
    {
        _loop = loop;
        _socket = new Socket(client.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            _socket.Bind(new IPEndPoint(local, 0));
            _socket.Connect(client);
            Descriptor = (int)_socket.Handle;
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }
    }

    public int Descriptor { get; }

    /// <summary>Opens a second socket of the same port, to which comes what others than the client send.</summary>
    /// <returns>Its descriptor.</returns>
    /// <exception cref="SocketException">The process has no file descriptor left.</exception>
    public int OpenToStrangers()
    {
        // Shared from here on alone: the kernel has chosen a port that no other transfer has. It gives a datagram to the socket that is
        // connected to its sender, if there is one.
        _socket.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
        _strangers = new Socket(_socket.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        _strangers.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
        _strangers.Bind(_socket.LocalEndPoint!);
        return StrangersDescriptor = (int)_strangers.Handle;
    }

    /// <summary>Of that second socket.</summary>
    public int StrangersDescriptor { get; private set; }

    /// <summary>Bytes of the largest packet that goes to the client in one piece, as the kernel knows its route now (IP_MTU,
    /// ip(7)).</summary>
    public int LargestPacket
    {
        get
        {
            Span<byte> mtu = stackalloc byte[sizeof(int)];
            bool version6 = _socket.AddressFamily == AddressFamily.InterNetworkV6;
            _socket.GetRawSocketOption(version6 ? SolIpv6 : SolIp, version6 ? Ipv6Mtu : IpMtu, mtu);
            return BitConverter.ToInt32(mtu) - (version6 ? 40 : 20) - UdpHeaderSize;
        }
    }

    /// <summary>When the client was first heard here, as a time stamp of the clock; null: it was not yet.</summary>
    public long? HeardAt { get; private set; }

    /// <summary>The client has asked for something else after it was last heard here: it has begun anew, or has a timer of its own. What is
    /// repeated to it might come in the place of an answer that it waits for now. Not before it was heard at all, unless it is known to
    /// have begun anew: there the answer itself may be lost.</summary>
    public bool IsForsaken => (HeardAt is not null || _restarted) && Volatile.Read(ref _forsakenAt) > _lastHeardAt;

    /// <summary>The client asks for something else. On any thread.</summary>
    /// <param name="restarted">It is known to have begun anew.</param>
    public void Forsake(bool restarted)
    {
        _restarted |= restarted;
        Volatile.Write(ref _forsakenAt, _loop.Clock.GetTimestamp());
    }

    /// <summary>Its transfer is over, though it may not have been put away. On the loop's thread.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The wait under way, or the next, ends with a <see cref="SupersededException"/>. On the loop's thread.</summary>
    public void Supersede()
    {
        _superseded = true;
        if (_waits)
        {
            EndWait();
            _wait.SetException(new SupersededException());
        }
    }

    /// <summary>When the wait under way ends, as a time stamp of the clock; far away when none is.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>The length of the next datagram, which lies in the loop's packet; −1 if none comes in time. On the loop's thread
    /// alone.</summary>
    /// <exception cref="SocketException">The client has closed its port (ConnectionRefused), or the network is down.</exception>
    /// <exception cref="OperationCanceledException">The service stops.</exception>
    /// <exception cref="SupersededException">The client has begun anew.</exception>
    public ValueTask<int> ReceiveAsync(TimeSpan patience)
    {
        _loop.ThrowIfCancelled();
        if (_superseded)
        {
            throw new SupersededException();
        }
        if (patience <= TimeSpan.Zero)
        {
            return new(-1);
        }
        _wait.Reset();
        _waits = true;
        Deadline = _loop.Clock.GetTimestamp() + (long)(patience.TotalSeconds * _loop.Clock.TimestampFrequency);
        return new(this, _wait.Version);
    }

    /// <summary>Sends packets of one size, the last of which may be shorter: as many in one system call as the kernel takes.</summary>
    /// <param name="packets">The packets, one behind the other.</param>
    /// <param name="size">Bytes of each.</param>
    /// <exception cref="SocketException">The network is down.</exception>
    public void Send(ReadOnlySpan<byte> packets, int size)
    {
        while (packets.Length > size && TrySegment(size))
        {
            int count = Math.Min(packets.Length, size * MaxSegments);
            SendOne(packets[..count], out SocketError error);
            if (error is not (SocketError.Success or SocketError.WouldBlock))
            {
                // No checksums by the network card, or packets larger than the way's MTU: the kernel then cuts nothing up (udp(7)).
                _segment = -1;
                _socket.SetRawSocketOption(SolUdp, UdpSegment, BitConverter.GetBytes(0));
                break;
            }
            packets = packets[count..];
        }
        while (!packets.IsEmpty)
        {
            int count = Math.Min(packets.Length, size);
            SendOne(packets[..count], out SocketError error);
            // A full queue has dropped the packet: it is sent again in time, as one that the network has lost. ConnectionRefused is about
            // an earlier packet: whether the client is gone for good, the next wait tells.
            if (error is not (SocketError.Success or SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable
                or SocketError.ConnectionRefused))
            {
                throw new SocketException((int)error);
            }
            packets = packets[count..];
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _strangers?.Dispose();
    }

    /// <summary>Hears what has come.</summary>
    /// <returns>False: nothing had, or nobody waits for it.</returns>
    internal bool OnReadable()
    {
        int length = _socket.Receive(_loop.Packet, SocketFlags.None, out SocketError error);
        if (error == SocketError.ConnectionRefused && _socket.Receive(_loop.Packet, SocketFlags.None, out SocketError second) is var last
            && second == SocketError.Success)
        {
            (length, error) = (last, second); // what the client sent before it closed its port
        }
        if (!_waits || error == SocketError.WouldBlock)
        {
            return false;
        }
        EndWait();
        if (error is SocketError.Success or SocketError.MessageSize)
        {
            _lastHeardAt = _loop.Clock.GetTimestamp();
            HeardAt ??= _lastHeardAt;
            _wait.SetResult(length);
        }
        else
        {
            _wait.SetException(new SocketException((int)error));
        }
        return true;
    }

    /// <summary>Somebody else has sent something: he is told so, and the transfer goes on undisturbed (RFC 1350 §4).</summary>
    internal void RefuseStranger()
    {
        try
        {
            var stranger = new SocketAddress(_strangers!.AddressFamily);
            int length = _strangers.ReceiveFrom(_loop.Packet, SocketFlags.None, stranger);
            // An error is never answered by an error: two programs could go on for ever.
            if (TftpPacket.TryRead(_loop.Packet.AsSpan(0, length), out TftpOpcode opcode, out _)
                && Enum.IsDefined(opcode) && opcode != TftpOpcode.Error)
            {
                _strangers.SendTo(s_unknownTransfer, SocketFlags.None, stranger);
            }
        }
        catch (SocketException)
        {
            // Nothing had come after all, or he cannot be reached.
        }
    }

    internal void OnLate(bool cancelled)
    {
        if (!_waits)
        {
            return;
        }
        EndWait();
        if (cancelled)
        {
            _wait.SetException(new OperationCanceledException());
        }
        else
        {
            _wait.SetResult(-1);
        }
    }

    int IValueTaskSource<int>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token,
        ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private void EndWait()
    {
        _waits = false;
        Deadline = long.MaxValue;
    }

    private void SendOne(ReadOnlySpan<byte> packet, out SocketError error) => _socket.Send(packet, SocketFlags.None, out error);

    /// <summary>Tells the kernel to cut what is sent into packets of a size (UDP_SEGMENT, since Linux 4.18); false if it does
    /// not.</summary>
    private bool TrySegment(int size)
    {
        if (_segment == 0)
        {
            try
            {
                _socket.SetRawSocketOption(SolUdp, UdpSegment, BitConverter.GetBytes(size));
                _segment = size;
            }
            catch (SocketException)
            {
                _segment = -1;
            }
        }
        return _segment == size;
    }
}

/// <summary>The client of a transfer has begun another one from the same port.</summary>
internal sealed class SupersededException : Exception
{
    public SupersededException()
        : base("the client began anew")
    {
    }
}
