using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>Who on an interface's wire answers for an address now; null: nobody.</summary>
public delegate ValueTask<MacAddress?> WhoHas(IPAddress address, CancellationToken cancel);

/// <summary>
/// Decides what to answer; no sockets. Told nothing are: in proxy mode whoever does not boot from the network, and every message but
/// DISCOVER (the address server's business) and a REQUEST to the boot server's port; in full mode clients that chose another server, and
/// those for whose subnet there is no pool.
/// </summary>
public sealed class DhcpResponder(DhcpServerOptions options, LeaseTable leases)
{
    private const int MaxNameServers = 8;

    /// <summary>What is returned as it came: the client's identifier (RFC 6842 §3), the subnet that it has selected (RFC 3011), and last
    /// what a relay, or a switch on the way, has added (RFC 3046 §2.2), however much that is.</summary>
    private static readonly DhcpOptionCode[] s_returned =
        [DhcpOptionCode.ClientIdentifier, DhcpOptionCode.SubnetSelection, DhcpOptionCode.RelayAgentInformation];

    /// <summary>Addresses found in use by strangers before a client is left to ask again.</summary>
    private const int MaxConflicts = 4;

    /// <summary>A client that is not to boot from the network is one that asks for no boot information.</summary>
    public DhcpClient Admit(DhcpMessage request, DhcpClient client) =>
        client.IsServed && request is { IsRequest: true, Type: { } type }
            && options.Gate?.Admits(request.Mac, client, type) == false
            ? client with { Kind = BootClientKind.None }
            : client;

    /// <summary>The reply to a message to the DHCP port; null: none.</summary>
    /// <param name="request">The message.</param>
    /// <param name="client">What sent it, and is admitted.</param>
    /// <param name="at">The interface that heard it.</param>
    /// <param name="whoHas">Asked before an address is offered; null where the wire cannot be asked.</param>
    /// <param name="cancel">Ends the wait for the wire.</param>
    public ValueTask<DhcpMessage?> AnswerAsync(
        DhcpMessage request, DhcpClient client, DhcpInterface at, WhoHas? whoHas, CancellationToken cancel) =>
        !request.IsRequest ? default :
        options.Addresses is { } plan ? AnswerFullAsync(request, client, at, plan, whoHas, cancel) :
        request.Type == DhcpMessageType.Discover && client.IsServed
            ? new(Reply(request, DhcpMessageType.Offer, client, at, IPAddress.Any, proxy: true, []))
            : default;

    /// <summary>The reply to a message to the boot server's port 4011 (PXE 2.1 §2.2.5); null: none.</summary>
    public DhcpMessage? AnswerBootServer(DhcpMessage request, DhcpClient client, DhcpInterface at) =>
        request is { IsRequest: true, Type: DhcpMessageType.Request or DhcpMessageType.Inform } && client.IsServed
            ? Reply(request, DhcpMessageType.Ack, client, at, IPAddress.Any, proxy: true, [])
            : null;

    /// <summary>Full mode: no pool is meant for the subnet that the client asks from.</summary>
    public bool LacksPool(DhcpMessage request, DhcpInterface at) => options.Addresses?.PoolsFor(request, at).Count == 0;

    /// <summary>A pool as one client sees it.</summary>
    /// <param name="At">The interface by the address that it has there, or by its first.</param>
    /// <param name="Reserved">The address of the pool that is kept for the client.</param>
    private sealed record Choice(AddressPool Pool, AddressRange Range, DhcpInterface At, IPAddress? Reserved);

    private async ValueTask<DhcpMessage?> AnswerFullAsync(
        DhcpMessage request, DhcpClient client, DhcpInterface at, AddressPlan plan, WhoHas? whoHas, CancellationToken cancel)
    {
        IReadOnlyList<Choice> choices = ChoicesOf(request, client.Machine.Serial, at, plan);
        if (choices.Count == 0)
        {
            return null;
        }
        switch (request.Type)
        {
            case DhcpMessageType.Discover:
                foreach (Choice choice in choices)
                {
                    if (await FindAddressAsync(request, choice, plan, request.IsRelayed ? null : whoHas, cancel) is { } free)
                    {
                        return Reply(request, DhcpMessageType.Offer, client, choice.At, free, proxy: false,
                            AddressOptions(plan, choice.Pool, leased: true));
                    }
                }
                return null;
            case DhcpMessageType.Request:
                return AnswerRequest(request, client, at, plan, choices);
            case DhcpMessageType.Inform:
                return Reply(request, DhcpMessageType.Ack, client, choices[0].At, IPAddress.Any, proxy: false,
                    AddressOptions(plan, choices[0].Pool, leased: false));
            case DhcpMessageType.Release:
                leases.Release(request.Mac);
                return null;
            case DhcpMessageType.Decline:
                if (request.FindAddress(DhcpOptionCode.RequestedAddress) is { } declined)
                {
                    leases.Decline(request.Mac, declined, plan.LeaseTime);
                }
                return null;
            default:
                return null;
        }
    }

    /// <summary>The pools for a client: first that of its reservation, then that of the address it has or wishes.</summary>
    private IReadOnlyList<Choice> ChoicesOf(DhcpMessage request, uint? serial, DhcpInterface at, AddressPlan plan)
    {
        IPAddress? held = leases.Find(request.Mac);
        IPAddress? reserved = FindReserved(request.Mac, serial, held, plan);
        IPAddress?[] wanted = [reserved, held, request.FindAddress(DhcpOptionCode.RequestedAddress) ?? request.HeldAddress];
        IPAddress[] taken = [.. at.All.Select(own => own.Address), .. plan.Reservations.Select(r => r.Address)];
        return
        [
            .. from pool in plan.PoolsFor(request, at)
               orderby Array.FindIndex(wanted, address => address is not null && pool.Subnet.Contains(address)) is >= 0 and var place
                   ? place : wanted.Length
               select new Choice(pool, AddressRange.Of(pool, taken), at.In(pool.Subnet) ?? at,
                   reserved is not null && pool.Subnet.Contains(reserved) ? reserved : null),
        ];
    }

    /// <summary>An address for a client that nobody else answers for; what strangers answer for is passed over for a lease time.</summary>
    private async ValueTask<IPAddress?> FindAddressAsync(
        DhcpMessage request, Choice choice, AddressPlan plan, WhoHas? whoHas, CancellationToken cancel)
    {
        IPAddress? wish = request.FindAddress(DhcpOptionCode.RequestedAddress);
        for (int conflicts = 0; conflicts < MaxConflicts; conflicts++)
        {
            IPAddress? address = leases.Offer(request.Mac, wish, choice.Reserved, choice.Range, out bool wasHeld);
            if (address is null || wasHeld || whoHas is null ||
                await whoHas(address, cancel) is not { } holder || holder == request.Mac)
            {
                return address;
            }
            leases.Decline(request.Mac, address, plan.LeaseTime);
        }
        return null;
    }

    /// <summary>
    /// RFC 2131 §4.3.2. A client that selects names its server (option 54); one that restarts asks for the address it had (option 50); one
    /// that renews has it (ciaddr). This server is the only one, so it speaks for the subnet: what cannot be granted is refused at once.
    /// </summary>
    private DhcpMessage? AnswerRequest(
        DhcpMessage request, DhcpClient client, DhcpInterface at, AddressPlan plan, IReadOnlyList<Choice> choices)
    {
        if (request.FindAddress(DhcpOptionCode.ServerIdentifier) is { } chosen
            && !chosen.Equals(RelayAgent.Of(request).Server) && !at.Has(chosen))
        {
            leases.Release(request.Mac);
            return null;
        }
        IPAddress wanted = request.FindAddress(DhcpOptionCode.RequestedAddress) ?? request.ClientAddress;
        Choice choice = choices.FirstOrDefault(c => c.Pool.Subnet.Contains(wanted)) ?? choices[0];
        IPAddress? reserved = choices.Select(c => c.Reserved).FirstOrDefault(address => address is not null);
        if (leases.TryTake(request.Mac, wanted, reserved, choice.Range, plan.LeaseTime))
        {
            return Reply(request, DhcpMessageType.Ack, client, choice.At, wanted, proxy: false,
                AddressOptions(plan, choice.Pool, leased: true));
        }
        DhcpMessage refusal = Reply(request, DhcpMessageType.Nak, default, choice.At, IPAddress.Any, proxy: false,
            [DhcpOption.Text(DhcpOptionCode.Message, "this address is not yours")]);
        // A relay must not send it to an address that is not the client's.
        return refusal with { Broadcast = refusal.Broadcast || request.IsRelayed };
    }

    /// <summary>
    /// The address kept for a board. The system on a board does not tell the serial number that its boot program told: it keeps what its
    /// MAC has.
    /// </summary>
    private static IPAddress? FindReserved(MacAddress mac, uint? serial, IPAddress? held, AddressPlan plan) =>
        (plan.Reservations.FirstOrDefault(r => r.IsFor(mac, serial)) ??
            plan.Reservations.FirstOrDefault(r => r.Mac is null && r.Address.Equals(held)))?.Address;

    private DhcpMessage Reply(
        DhcpMessage request, DhcpMessageType type, DhcpClient client, DhcpInterface at, IPAddress yours, bool proxy,
        IEnumerable<DhcpOption> address) => new()
        {
            IsRequest = false,
            TransactionId = request.TransactionId,
            Broadcast = request.Broadcast,
            ClientAddress = type == DhcpMessageType.Ack && request.HeldAddress is { } held ? held : IPAddress.Any,
            YourAddress = yours,
            NextServer = client.IsServed ? at.Address : IPAddress.Any,
            Relay = request.Relay,
            Mac = request.Mac,
            BootFile = BootAnswer.File(client.Kind, at.Address, options.HttpPort) ?? "",
            Options =
            [
                DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)type),
                // Of a proxy clients renew nothing, and the port 4011 that they ask next is not the relay's.
                DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, (proxy ? null : RelayAgent.Of(request).Server) ?? at.Address),
                .. address,
                .. BootAnswer.Options(client, at.Address, options.HttpPort, proxy, request.Find(DhcpOptionCode.ClientMachineId)),
                .. from code in s_returned
                   let option = request.Find(code)
                   where option is not null
                   select new DhcpOption(code, option.Value),
            ],
        };

    private static IEnumerable<DhcpOption> AddressOptions(AddressPlan plan, AddressPool pool, bool leased)
    {
        if (leased)
        {
            yield return DhcpOption.Number(DhcpOptionCode.LeaseTime, (uint)Math.Min(plan.LeaseTime.TotalSeconds, uint.MaxValue));
        }
        uint mask = AddressRange.Mask(pool.Subnet.PrefixLength);
        yield return DhcpOption.Number(DhcpOptionCode.SubnetMask, mask);
        yield return DhcpOption.Number(DhcpOptionCode.BroadcastAddress, AddressRange.Number(pool.Subnet.BaseAddress) | ~mask);
        if (pool.Router is { } router)
        {
            yield return DhcpOption.Addresses(DhcpOptionCode.Router, router);
        }
        if (plan.NameServers.Count > 0)
        {
            yield return DhcpOption.Addresses(DhcpOptionCode.DomainNameServer, plan.NameServers.Take(MaxNameServers));
        }
    }
}
