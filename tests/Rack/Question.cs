using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Rack.Rom;

namespace Bootstrap.Rack;

/// <summary>Datagrams with given bytes, and all that comes back, on a machine whose interface is eth0.</summary>
internal sealed class Question(EventLog events, TimeProvider clock)
{
    private const string Interface = "eth0";
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;

    /// <summary>Asks, and prints what is heard as events "heard".</summary>
    /// <param name="from">The port that is asked from, and heard at, whatever address an answer goes to.</param>
    /// <param name="to">Who is asked; may be everybody.</param>
    /// <param name="messages">What is sent, one after the other.</param>
    /// <param name="gap">Time between two messages.</param>
    /// <param name="patience">How long is listened after the last.</param>
    public async Task AskAsync(int from, IPEndPoint to, IReadOnlyList<byte[]> messages, TimeSpan gap, TimeSpan patience)
    {
        using var packets = new PacketSocket(Interface, from);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
        socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(Interface + '\0'));
        socket.Bind(new IPEndPoint(IPAddress.Any, from));
        using var stop = new CancellationTokenSource();
        Task listening = ListenAsync(packets, stop.Token);
        foreach (byte[] message in messages)
        {
            await socket.SendToAsync(message, to);
            await Task.Delay(gap, clock);
        }
        await Task.Delay(patience, clock);
        await stop.CancelAsync();
        await listening;
    }

    private async Task ListenAsync(PacketSocket packets, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                Datagram heard = await packets.ReceiveAsync(stop);
                events.Write("heard", ("from", heard.From), ("to", heard.To), ("bytes", Convert.ToHexStringLower(heard.Payload.Span)));
            }
        }
        catch (OperationCanceledException)
        {
            // Enough was heard.
        }
    }
}
