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
    private readonly Action<MacAddress>? _begins;
    private readonly IBootObserver _observer;
    private readonly TimeProvider _clock;
    private readonly List<DhcpPort> _ports = [];

    private DhcpServer(DhcpServerOptions options, ILeaseStore leases, IBootObserver observer, TimeProvider clock)
    {
        _responder = new DhcpResponder(options, new LeaseTable(leases, clock));
        _begins = options.Begins;
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
            // What has no address yet may get one of whatever subnet.
            DhcpInterface?[] known = [.. server._ports.Where(port => !port.IsBootServer).Select(port => port.Interface)];
            if (known.All(at => at is not null) && options.Addresses?.FindStray(known!) is { } stray)
            {
                throw NetbootException.PoolOfNobody(stray.Subnet, known!);
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
        // Answers that wait for something.
        var waiting = new Dictionary<(MacAddress, DhcpMessageType), (OpenQuestion Question, Task Answer)>();
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await port.ReceiveAsync(buffer, cancel);
                foreach ((MacAddress, DhcpMessageType) done in waiting.Where(w => w.Value.Answer.IsCompleted).Select(w => w.Key).ToList())
                {
                    waiting.Remove(done, out (OpenQuestion, Task Answer) ended);
                    await ended.Answer;
                }
                if (!DhcpMessage.TryParse(buffer.AsSpan(0, received.ReceivedBytes), out DhcpMessage? message)
                    || message.Type is not { } type)
                {
                    _observer.Malformed("DHCP");
                }
                else if (port.Interface is { } at)
                {
                    var question = new DhcpQuestion(message, type, (IPEndPoint)received.RemoteEndPoint, at, _clock.GetTimestamp());
                    if (type == DhcpMessageType.Discover && question.Client.IsServed)
                    {
                        _begins?.Invoke(message.Mac);
                    }
                    if (waiting.TryGetValue((message.Mac, type), out (OpenQuestion Question, Task Answer) earlier)
                        && !earlier.Question.TryReplace(question))
                    {
                        waiting.Remove((message.Mac, type)); // its answer is on its way
                        await earlier.Answer;
                    }
                    if (waiting.Count < MaxWaiting && !waiting.ContainsKey((message.Mac, type)))
                    {
                        var open = new OpenQuestion(question);
                        waiting.Add((message.Mac, type), (open, AnswerAsync(open, port, cancel)));
                    }
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
        await Task.WhenAll(waiting.Values.Select(w => w.Answer));
    }

    private async Task AnswerAsync(OpenQuestion open, DhcpPort port, CancellationToken cancel)
    {
        DhcpQuestion question = open.Newest;
        DhcpClient client, admitted;
        DhcpMessage? reply;
        try
        {
            do
            {
                question = open.Newest;
                client = question.Client;
                if (client.IsPi3Rom && PatienceOf(question.Message.Mac) - _clock.GetElapsedTime(question.HeardAt) is var left
                    && left > TimeSpan.Zero)
                {
                    await Task.Delay(left, _clock, cancel);
                }
                admitted = _responder.Admit(question.Message, client);
                reply = port.IsBootServer
                    ? _responder.AnswerBootServer(question.Message, admitted, question.At)
                    : await _responder.AnswerAsync(question.Message, admitted, question.At, port.WhoHas, cancel);
            }
            while (!open.TryClose(question));
            if (reply is not null)
            {
                // Early Pi EEPROMs dropped replies with pad bytes (raspberrypi/rpi-eeprom#82); everybody else gets BOOTP's minimum.
                bool pad = client.Kind != BootClientKind.RaspberryPi;
                await port.SendAsync(question.Message, reply, question.From, reply.ToArray(pad), cancel);
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
        (DhcpMessage message, DhcpMessageType type, _, DhcpInterface at, _) = question;
        IPAddress? address = reply is not null && !reply.YourAddress.Equals(IPAddress.Any) ? reply.YourAddress :
            message.HeldAddress is { } held ? held :
            type == DhcpMessageType.Request ? message.FindAddress(DhcpOptionCode.RequestedAddress) : null;
        _observer.Asked(new DhcpSighting(message.Mac, client.Kind, client.Machine, at.Name, type, reply?.Type, address,
            reply is { BootFile.Length: > 0 } ? reply.BootFile : null)
        {
            Architecture = client.Architecture,
            IsPi3Rom = client.IsPi3Rom,
            IsLeftAlone = admitted.Kind != client.Kind,
            Relay = message.IsRelayed ? message.Relay : null,
            LacksPool = _responder.LacksPool(message, at),
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
