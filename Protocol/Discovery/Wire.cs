using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bootstrap.Protocol.Discovery;

/// <summary>A message as it came.</summary>
/// <param name="Wire">By which it came and on which an answer goes back.</param>
/// <param name="Message">What was said.</param>
/// <param name="Bytes">The datagram itself: valid until the listener returns.</param>
/// <param name="From">Who sent it.</param>
public readonly record struct Datagram(Wire Wire, DiscoveryMessage Message, ReadOnlyMemory<byte> Bytes, IPEndPoint From);

/// <summary>Somebody who hears what comes by the wires. Called on one thread for each wire and socket; what takes long goes elsewhere.</summary>
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
    private readonly Task _loops;
    private readonly int _index;
    private readonly IPNetwork _network;

    /// <exception cref="SocketException">The interface went down a moment ago, or the port is taken by a program that does not share it.</exception>
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
        _loops = Task.WhenAll(ListenAsync(_group, listeners), ListenAsync(_own, listeners));
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
    public bool IsOver => _loops.IsCompleted;

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

    /// <summary>Closes the sockets, which ends the listening.</summary>
    public void Dispose()
    {
        _group.Dispose();
        _own.Dispose();
    }

    private async Task ListenAsync(Socket socket, IReadOnlyList<IWireListener> listeners)
    {
        byte[] buffer = new byte[DiscoveryMessage.MaximumBytes + 1];
        // Filled by each datagram anew: nothing is made for those that are dropped.
        var from = new SocketAddress(AddressFamily.InterNetwork);
        try
        {
            while (true)
            {
                int length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, from).ConfigureAwait(false);
                if (!_flood.Allows(AddressOf(from)))
                {
                    continue;
                }
                IPEndPoint sender = EndPointOf(from);
                if (DiscoveryMessage.Read(buffer.AsSpan(0, length)) is not { } message)
                {
                    if (!listeners.Any(listener => listener.ReceiveOther(this, buffer.AsMemory(0, length), sender)))
                    {
                        _malformed?.Invoke();
                    }
                    continue;
                }
                var datagram = new Datagram(this, message, buffer.AsMemory(0, length), sender);
                foreach (IWireListener listener in listeners)
                {
                    listener.Receive(datagram);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed, or the interface went away: the owner sees that the loop is over.
        }
    }

    // struct sockaddr_in: family, port in network order at 2, address at 4.
    private static uint AddressOf(SocketAddress address) => BinaryPrimitives.ReadUInt32LittleEndian(address.Buffer.Span[4..]);

    private static IPEndPoint EndPointOf(SocketAddress address) =>
        new(new IPAddress(AddressOf(address)), BinaryPrimitives.ReadUInt16BigEndian(address.Buffer.Span[2..]));
}
