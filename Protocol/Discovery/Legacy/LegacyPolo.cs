using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Bootstrap.Protocol.Discovery.Legacy;

/// <summary>
/// Answers the 2015 programs. Its answers are longer than the questions, which that protocol asks for; a source gets ten a second. It
/// answers questions by multicast and by unicast, and <c>Services</c>, which the 2015 Polo did not.
/// </summary>
/// <param name="groups">Groups to answer in (<see cref="LegacyMessage.Groups"/>); none: nothing is answered.</param>
/// <param name="node">What the node is and offers, asked anew for every answer. A service with meshes is told in a group that is named
/// among them.</param>
/// <param name="interfaceNames">Interfaces to listen on; null or empty: all physical ones.</param>
/// <param name="clock">Times the looking for interfaces.</param>
/// <remarks>What comes by unicast to port 1337 reaches the wires of version 2: it is to be added to them.</remarks>
public sealed class LegacyPolo(IReadOnlyList<string> groups, Func<NodeDescription> node, IReadOnlyCollection<string>? interfaceNames,
    TimeProvider clock) : IWireListener
{
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromSeconds(10);

    private readonly SourceLimit _limit = new(SourceLimit.Answers, clock);

    /// <summary>Answers until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var listeners = new Dictionary<(string Interface, string Group), (Socket Socket, Task Loop)>();
        try
        {
            while (true)
            {
                Follow(listeners);
                await Task.Delay(s_lookPeriod, clock, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            foreach ((Socket socket, Task loop) in listeners.Values)
            {
                socket.Dispose();
                await loop.ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public void Receive(in Datagram datagram)
    {
        // Version 2 is not its business.
    }

    /// <inheritdoc/>
    public void Joined(Wire wire)
    {
        // The 2015 protocol announces nothing.
    }

    /// <inheritdoc/>
    public bool ReceiveOther(Wire wire, ReadOnlyMemory<byte> datagram, IPEndPoint from)
    {
        if (groups.Count == 0 || LegacyMessage.ReadQuestion(datagram) is not { } question)
        {
            return false;
        }
        if (AnswerTo(question, groups, from) is { } answer)
        {
            wire.Send(answer, from);
        }
        return true;
    }

    private void Follow(Dictionary<(string Interface, string Group), (Socket Socket, Task Loop)> listeners)
    {
        IReadOnlyList<NetworkInterface> present = DiscoverySocket.Interfaces(interfaceNames);
        foreach (((string Interface, string Group) key, (Socket socket, Task loop)) in listeners.ToArray())
        {
            if (loop.IsCompleted || present.All(i => i.Name != key.Interface))
            {
                socket.Dispose();
                listeners.Remove(key);
            }
        }
        foreach ((NetworkInterface i, string group) in present.SelectMany(i => groups.Select(group => (i, group))))
        {
            if (!listeners.ContainsKey((i.Name, group)) && TryListen(i, group) is { } socket)
            {
                listeners.Add((i.Name, group), (socket, AnswerAsync(socket, group)));
            }
        }
    }

    private static Socket? TryListen(NetworkInterface i, string group)
    {
        try
        {
            return DiscoverySocket.ListenTo(i, IPAddress.Parse(group));
        }
        catch (Exception e) when (e is SocketException or NetworkInformationException)
        {
            // Went down between listing and joining: looked at again in seconds.
            return null;
        }
    }

    private async Task AnswerAsync(Socket socket, string group)
    {
        byte[] buffer = new byte[LegacyMessage.MaximumBytes + 1];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0))
                    .ConfigureAwait(false);
                var asker = (IPEndPoint)received.RemoteEndPoint;
                if (LegacyMessage.ReadQuestion(buffer.AsMemory(0, received.ReceivedBytes)) is { } question &&
                    AnswerTo(question, [group], asker) is { } answer)
                {
                    await socket.SendToAsync(answer, asker).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed, or the interface went away.
        }
    }

    private byte[]? AnswerTo(LegacyMessage.Question question, IReadOnlyList<string> asked, IPEndPoint asker)
    {
        NodeDescription description = node();
        Service[] offered = [.. description.Services.Where(s => s.Meshes is null || s.Meshes.Intersect(asked).Any())];
        byte[]? answer = question.Command switch
        {
            LegacyCommand.Marco => LegacyMessage.WritePolo(description),
            LegacyCommand.Services => LegacyMessage.WriteServices(offered),
            _ => offered.FirstOrDefault(s => s.Id == question.Service) is { } service ? LegacyMessage.WriteService(service) : null,
        };
        return answer is not null && _limit.Allows(BitConverter.ToUInt32(asker.Address.GetAddressBytes())) ? answer : null;
    }
}
