using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Init.Network;

/// <summary>An address that a DHCP server lent, or a person gave.</summary>
/// <param name="NextServer">Where the server says that boot files are; null where it says nothing.</param>
/// <param name="Seconds">How long it is lent; null: for ever.</param>
public sealed record Lease(IPAddress Address, IPAddress Mask, IPAddress? Router, IPAddress? NextServer, IPAddress? Server, uint? Seconds);

/// <summary>
/// A DHCP client (RFC 2131) for one interface, over a UDP socket that is bound to it: Linux sends and receives broadcasts on an
/// interface that has no address yet.
/// </summary>
public sealed class DhcpClient(string interfaceName, MacAddress mac, TimeProvider clock)
{
    private const int ServerPort = 67, ClientPort = 68;
    private const int SolSocket = 1, SoBindToDevice = 25;
    private const int MaximumOfferSeconds = 8;

    /// <summary>Time to wait for an answer: 1, 2, 4, then 8 s. Boards wait for people, not for servers: quicker than the RFC's 4
    /// s.</summary>
    public static TimeSpan AnswerTimeout(int attempt) => TimeSpan.FromSeconds(Math.Min(1 << Math.Min(attempt, 10), MaximumOfferSeconds));

    /// <summary>How long before a lease is renewed: half of it (RFC 2131 § 4.4.5), a minute at least, a day at most.</summary>
    public static TimeSpan RenewAfter(uint leaseSeconds) => TimeSpan.FromSeconds(Math.Clamp(leaseSeconds / 2, 60, 86_400));

    /// <summary>Asks until there is an address.</summary>
    public async Task<Lease> ObtainAsync(CancellationToken cancellation)
    {
        long started = clock.GetTimestamp();
        for (int attempt = 0; ; attempt++)
        {
            using Socket socket = Open();
            uint transaction = NewTransaction();
            ushort seconds = (ushort)Math.Min(clock.GetElapsedTime(started).TotalSeconds, ushort.MaxValue);
            var discover = new DhcpQuestion(DhcpType.Discover, transaction, mac, seconds, null, null, null);
            // A proxy's offer has no address: it is for boot ROMs.
            DhcpAnswer? offer = await AskAsync(socket, discover, attempt, a =>
                a.Type == DhcpType.Offer && !a.Address.Equals(IPAddress.Any) && a.Server is not null, cancellation)
                .ConfigureAwait(false);
            if (offer is { } taken)
            {
                var request = new DhcpQuestion(DhcpType.Request, transaction, mac, seconds, null, taken.Address, taken.Server);
                DhcpAnswer? ack = await AskAsync(socket, request, attempt, a => a.Type is DhcpType.Ack or DhcpType.Nak, cancellation)
                    .ConfigureAwait(false);
                if (ack is { Type: DhcpType.Ack } given)
                {
                    return ToLease(given, taken);
                }
            }
        }
    }

    /// <summary>Asks once more for an address in use (RFC 2131 § 4.3.2, REBINDING: any server may answer).</summary>
    /// <returns>Null if no server lends it on.</returns>
    public async Task<Lease?> RenewAsync(Lease lease, CancellationToken cancellation)
    {
        using Socket socket = Open();
        var request = new DhcpQuestion(DhcpType.Request, NewTransaction(), mac, 0, lease.Address, null, null);
        DhcpAnswer? answer = await AskAsync(socket, request, attempt: 3, a => a.Type is DhcpType.Ack or DhcpType.Nak, cancellation)
            .ConfigureAwait(false);
        return answer is { Type: DhcpType.Ack } ack ? ToLease(ack, ack) with { Server = lease.Server } : null;
    }

    private static Lease ToLease(DhcpAnswer ack, DhcpAnswer offer)
    {
        IPAddress? next = ack.NextServer.Equals(IPAddress.Any) ? null : ack.NextServer;
        return new Lease(ack.Address, ack.Mask ?? offer.Mask ?? IPAddress.Parse("255.255.255.0"), ack.Router ?? offer.Router, next,
            offer.Server,
            // All ones stand for "for ever" (RFC 2131 § 3.3).
            ack.LeaseSeconds is 0 or uint.MaxValue ? null : ack.LeaseSeconds);
    }

    private async Task<DhcpAnswer?> AskAsync(
        Socket socket, DhcpQuestion question, int attempt, Func<DhcpAnswer, bool> wanted, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(AnswerTimeout(attempt), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        byte[] buffer = new byte[1500];
        try
        {
            await socket.SendToAsync(question.ToBytes(), new IPEndPoint(IPAddress.Broadcast, ServerPort), either.Token)
                .ConfigureAwait(false);
            while (true)
            {
                int n = await socket.ReceiveAsync(buffer, either.Token).ConfigureAwait(false);
                if (DhcpAnswer.TryParse(buffer.AsSpan(0, n), question.Transaction, mac, out DhcpAnswer answer) && wanted(answer))
                {
                    return answer;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (SocketException)
        {
            // The link went down under us: as good as no answer, but without the wait.
            await Task.Delay(AnswerTimeout(0), clock, cancellation).ConfigureAwait(false);
            return null;
        }
    }

    private Socket Open()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + '\0'));
        socket.Bind(new IPEndPoint(IPAddress.Any, ClientPort));
        return socket;
    }

    private static uint NewTransaction() => BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4));
}
