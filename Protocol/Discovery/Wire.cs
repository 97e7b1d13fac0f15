using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Bootstrap.Protocol.Polling;

namespace Bootstrap.Protocol.Discovery;

/// <summary>A message as it came.</summary>
/// <param name="Wire">By which it came and on which an answer goes back.</param>
/// <param name="Message">What was said.</param>
/// <param name="Bytes">The datagram itself: valid until the listener returns.</param>
/// <param name="From">Who sent it.</param>
public readonly record struct Datagram(Wire Wire, DiscoveryMessage Message, ReadOnlyMemory<byte> Bytes, IPEndPoint From);

/// <summary>Somebody who hears what comes by the wires. Called on the one thread that hears all wires; what takes long goes
/// elsewhere.</summary>
public interface IWireListener
{
    /// <summary>A message came.</summary>
    void Receive(in Datagram datagram);

    /// <summary>There is a new wire: a cable was plugged in, an address was given.</summary>
    void Joined(Wire wire);

    /// <summary>Something came that is no message of version 2.</summary>
    /// <returns>True if it was understood.</returns>
    bool ReceiveOther(Wire wire, ReadOnlyMemory<byte> datagram, IPEndPoint from) => false;
}

/// <summary>
/// One interface: a socket that hears the group, and one of its own from which everything is sent and to which answers come. Several
/// programs of one machine share the group's port, but a unicast datagram to it would reach only one of them; each has its own
/// second port, and who wants to speak with it answers to where it heard it from.
/// </summary>
public sealed class Wire : IDisposable
{
    /// <summary>More than this in a second from one source is a flood, dropped before it is read.</summary>
    private const int DatagramsPerSource = 2000;

    private static readonly IPEndPoint s_group = new(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);

    private readonly Socket _group;
    private readonly Socket _own;
    private readonly SourceLimit _flood;
    private readonly Action? _malformed;
    private readonly IReadOnlyList<IWireListener> _listeners;
    private readonly byte[] _buffer = new byte[DiscoveryMessage.MaximumBytes + 1];
    // Filled by each datagram anew: nothing is made for those that are dropped.
    private readonly SocketAddress _from = new(AddressFamily.InterNetwork);
    private readonly IDisposable[] _watched;
    private volatile bool _isOver;
    private readonly int _index;
    private readonly IPNetwork _network;

    /// <exception cref="SocketException">The interface went down a moment ago, or the port is taken by a program that does not share
    /// it.</exception>
    internal Wire(NetworkInterface i, IReadOnlyList<IWireListener> listeners, TimeProvider clock, Action? malformed)
    {
        Name = i.Name;
        _index = DiscoverySocket.IPv4Index(i) ?? throw new SocketException((int)SocketError.AddressNotAvailable);
        _network = DiscoverySocket.Network(i) ?? throw new SocketException((int)SocketError.AddressNotAvailable);
        _flood = new SourceLimit(DatagramsPerSource, clock);
        _malformed = malformed;
        _group = DiscoverySocket.Listen(i);
        try
        {
            _own = DiscoverySocket.Ask(i);
            Place = (IPEndPoint)_own.LocalEndPoint!;
        }
        catch (SocketException)
        {
            _group.Dispose();
            throw;
        }
        _listeners = listeners;
        _watched = [DatagramPoller.Shared.Watch(_group, Receive), DatagramPoller.Shared.Watch(_own, Receive)];
    }

    /// <summary>The interface's.</summary>
    public string Name { get; }

    /// <summary>The address and port that it sends from.</summary>
    public IPEndPoint Place { get; }

    /// <summary>The address that it sends from.</summary>
    public IPAddress Address => Place.Address;

    /// <summary>True for an address of the interface's own subnet.</summary>
    public bool IsOnLink(IPAddress address) => _network.Contains(address);

    /// <summary>True once the interface has gone.</summary>
    public bool IsOver => _isOver;

    /// <summary>Datagrams that were dropped for coming too fast from one source.</summary>
    public long Flooded => _flood.Refusals;

    /// <summary>Sends to one address. What a wire loses, it loses: discovery repeats itself.</summary>
    public void Send(ReadOnlySpan<byte> message, IPEndPoint to)
    {
        try
        {
            _own.SendTo(message, SocketFlags.None, to);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // No route at this moment, or the interface went away: found anew within seconds.
        }
    }

    /// <summary>Sends to all who listen on this wire.</summary>
    public void SendToGroup(ReadOnlySpan<byte> message) => Send(message, s_group);

    internal void Rejoin()
    {
        try
        {
            DiscoverySocket.Rejoin(_group, _index);
        }
        catch (SocketException)
        {
            // The interface is going away.
        }
    }

    /// <summary>Ends the listening and closes the sockets.</summary>
    public void Dispose()
    {
        Array.ForEach(_watched, w => w.Dispose());
        _group.Dispose();
        _own.Dispose();
    }

    private bool Receive(Socket socket)
    {
        int length;
        try
        {
            length = socket.ReceiveFrom(_buffer, SocketFlags.None, _from);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed, or the interface went away: the owner sees that the wire is over.
            _isOver = true;
            return false;
        }
        if (_flood.Allows(AddressOf(_from)))
        {
            Hear(_buffer.AsMemory(0, length), EndPointOf(_from));
        }
        return true;
    }

    private void Hear(ReadOnlyMemory<byte> bytes, IPEndPoint from)
    {
        if (DiscoveryMessage.Read(bytes.Span) is { } message)
        {
            var datagram = new Datagram(this, message, bytes, from);
            foreach (IWireListener listener in _listeners)
            {
                listener.Receive(datagram);
            }
        }
        else if (!_listeners.Any(listener => listener.ReceiveOther(this, bytes, from)))
        {
            _malformed?.Invoke();
        }
    }

    // struct sockaddr_in: family, port in network order at 2, address at 4.
    private static uint AddressOf(SocketAddress address) => BinaryPrimitives.ReadUInt32LittleEndian(address.Buffer.Span[4..]);

    private static IPEndPoint EndPointOf(SocketAddress address) =>
        new(new IPAddress(AddressOf(address)), BinaryPrimitives.ReadUInt16BigEndian(address.Buffer.Span[2..]));
}
