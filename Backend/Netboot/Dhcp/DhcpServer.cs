using System.Net;
using System.Net.Sockets;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// DHCP on named interfaces, in proxy or full mode. Each interface has its own sockets, so that a message is known by the wire it came by
/// and the reply names that interface's address.
/// </summary>
public sealed class DhcpServer : IDisposable
{
    /// <summary>Messages whose answer waits, for a probe or a slow ROM's sake; of more the messages are dropped, and come again.</summary>
    private const int MaxWaiting = 1024;

    private readonly DhcpResponder _responder;
    private readonly IBootObserver _observer;
    private readonly TimeProvider _clock;
    private readonly List<DhcpPort> _ports = [];

    private DhcpServer(DhcpServerOptions options, ILeaseStore leases, IBootObserver observer, TimeProvider clock)
    {
        _responder = new DhcpResponder(options, new LeaseTable(leases, clock));
        _observer = observer;
        _clock = clock;
    }

    /// <summary>
    /// Opens the ports; serves once <see cref="RunAsync"/> is called. In full mode it first listens for other DHCP servers, up to four
    /// seconds.
    /// </summary>
    /// <param name="options">How DHCP is answered.</param>
    /// <param name="interfaces">Names of the interfaces to listen on.</param>
    /// <param name="leases">Keeps leases over a restart.</param>
    /// <param name="observer">Learns what clients did.</param>
    /// <param name="clock">The time.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="NetbootException">
    /// A port is taken, a privilege is missing, an interface does not exist, or another DHCP server answers on one.
    /// </exception>
    public static async Task<DhcpServer> OpenAsync(
        DhcpServerOptions options, IReadOnlyCollection<string> interfaces, ILeaseStore leases, IBootObserver observer, TimeProvider clock,
        CancellationToken cancel)
    {
        var server = new DhcpServer(options, leases, observer, clock);
        try
        {
            foreach (string name in interfaces)
            {
                server._ports.Add(DhcpPort.Open(name, DhcpPort.Server, clock, packets: options.Addresses is not null));
                server._ports.Add(DhcpPort.Open(name, DhcpPort.BootServer, clock, packets: false));
            }
            if (options is { Addresses: not null, BesideRivals: false })
            {
                IPAddress?[] rivals = await Task.WhenAll(interfaces.Select(name => RivalSearch.FindAsync(name, clock, cancel)));
                if (Array.FindIndex(rivals, rival => rival is not null) is >= 0 and var at)
                {
                    throw NetbootException.Rival(interfaces.ElementAt(at), rivals[at]!);
                }
            }
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Answers until cancelled. What stops one port stops all: half a server would not be noticed.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await Task.WhenAll(_ports.Select(async port =>
        {
            try
            {
                await ServeAsync(port, stop.Token);
            }
            finally
            {
                await stop.CancelAsync();
            }
        }));
    }

    public void Dispose() => _ports.ForEach(port => port.Dispose());

    private async Task ServeAsync(DhcpPort port, CancellationToken cancel)
    {
        byte[] buffer = new byte[2048];
        // Answers that wait for something. A repetition of what is being answered is dropped.
        var waiting = new Dictionary<(MacAddress, DhcpMessageType), Task>();
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await port.ReceiveAsync(buffer, cancel);
                foreach (((MacAddress, DhcpMessageType) done, Task answer) in waiting.Where(w => w.Value.IsCompleted).ToList())
                {
                    waiting.Remove(done);
                    await answer;
                }
                if (!DhcpMessage.TryParse(buffer.AsSpan(0, received.ReceivedBytes), out DhcpMessage? message)
                    || message.Type is not { } type)
                {
                    _observer.Malformed("DHCP");
                }
                else if (port.Interface is { } at && waiting.Count < MaxWaiting && !waiting.ContainsKey((message.Mac, type)))
                {
                    waiting.Add((message.Mac, type), AnswerAsync(message, type, (IPEndPoint)received.RemoteEndPoint, port, at, cancel));
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                // Ends the loop.
            }
            catch (SocketException) when (!cancel.IsCancellationRequested)
            {
                // The interface is down for the moment.
            }
        }
        await Task.WhenAll(waiting.Values);
    }

    private async Task AnswerAsync(DhcpMessage message, DhcpMessageType type, IPEndPoint from, DhcpPort port, DhcpInterface at,
        CancellationToken cancel)
    {
        var client = DhcpClient.Of(message);
        DhcpClient admitted;
        DhcpMessage? reply;
        try
        {
            if (client.IsPi3Rom)
            {
                await Task.Delay(PatienceOf(message.Mac), _clock, cancel);
            }
            admitted = _responder.Admit(message, client);
            reply = port.IsBootServer
                ? _responder.AnswerBootServer(message, admitted, at)
                : await _responder.AnswerAsync(message, admitted, at, port.WhoHas, cancel);
            if (reply is not null)
            {
                byte[] bytes = new byte[DhcpMessage.MaximumReplySize];
                // Early Pi EEPROMs dropped replies with pad bytes (raspberrypi/rpi-eeprom#82); everybody else gets BOOTP's minimum.
                int length = reply.Write(bytes, pad: client.Kind != BootClientKind.RaspberryPi);
                await port.SendAsync(message, reply, from, bytes.AsMemory(0, length), cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return;
        }
        catch (SocketException)
        {
            return; // The interface is down for the moment: the client asks again.
        }
        IPAddress? address = reply is not null && !reply.YourAddress.Equals(IPAddress.Any) ? reply.YourAddress :
            !message.ClientAddress.Equals(IPAddress.Any) ? message.ClientAddress :
            type == DhcpMessageType.Request ? message.FindAddress(DhcpOptionCode.RequestedAddress) : null;
        _observer.Asked(new DhcpSighting(message.Mac, client.Kind, client.Machine, at.Name, type, reply?.Type, address,
            reply is { BootFile.Length: > 0 } ? reply.BootFile : null)
        {
            IsPi3Rom = client.IsPi3Rom,
            IsLeftAlone = admitted.Kind != client.Kind,
            Relay = message.Relay.Equals(IPAddress.Any) ? null : message.Relay,
            Server = at.Address,
            ChosenServer = type == DhcpMessageType.Request ? message.FindAddress(DhcpOptionCode.ServerIdentifier) : null,
            Seconds = message.Seconds,
        });
    }

    /// <summary>
    /// How long the ROM of a Pi 3 is kept waiting, 1 to 2 seconds: a reply that comes sooner can lock it in a loop until its power is cut
    /// (raspberrypi/firmware#934, #862). Each board has a time of its own, so that many that are switched on together do not all load at
    /// once (#764).
    /// </summary>
    internal static TimeSpan PatienceOf(MacAddress mac) => TimeSpan.FromMilliseconds(1000 + mac.Value * 0x9E3779B97F4A7C15 % 1000);
}
