using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>Where a message was heard.</summary>
/// <param name="Name">The interface's name.</param>
/// <param name="Address">Its address, which replies advertise.</param>
/// <param name="PrefixLength">Bits of its subnet's mask.</param>
public sealed record DhcpInterface(string Name, IPAddress Address, int PrefixLength)
{
    /// <summary>The subnet that the interface is in.</summary>
    public IPNetwork Subnet { get; } =
        new(AddressRange.Address(AddressRange.Number(Address) & AddressRange.Mask(PrefixLength)), PrefixLength);
}

/// <summary>Who on an interface's wire answers for an address now; null: nobody.</summary>
public delegate ValueTask<MacAddress?> WhoHas(IPAddress address, CancellationToken cancel);

/// <summary>
/// Decides what to answer; no sockets. Told nothing are: in proxy mode whoever does not boot from the network, and every message but
/// DISCOVER (the address server's business) and a REQUEST to the boot server's port; in full mode clients that chose another server, and
/// clients behind a relay for whose subnet there is no pool.
/// </summary>
public sealed class DhcpResponder(DhcpServerOptions options, LeaseTable leases)
{
    private const int MaxNameServers = 8;

    /// <summary>Addresses found in use by strangers before a client is left to ask again.</summary>
    private const int MaxConflicts = 4;

    /// <summary>A client that is not to boot from the network is one that asks for no boot information.</summary>
    public DhcpClient Admit(DhcpMessage request, DhcpClient client) =>
        client.Kind != BootClientKind.None && request is { IsRequest: true, Type: { } type }
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
        request.Type == DhcpMessageType.Discover && client.Kind != BootClientKind.None
            ? new(Reply(request, DhcpMessageType.Offer, client, at, IPAddress.Any, proxy: true, []))
            : default;

    /// <summary>The reply to a message to the boot server's port 4011 (PXE 2.1 §2.2.5); null: none.</summary>
    public DhcpMessage? AnswerBootServer(DhcpMessage request, DhcpClient client, DhcpInterface at) =>
        request is { IsRequest: true, Type: DhcpMessageType.Request or DhcpMessageType.Inform } && client.Kind != BootClientKind.None
            ? Reply(request, DhcpMessageType.Ack, client, at, IPAddress.Any, proxy: true, [])
            : null;

    private async ValueTask<DhcpMessage?> AnswerFullAsync(
        DhcpMessage request, DhcpClient client, DhcpInterface at, AddressPlan plan, WhoHas? whoHas, CancellationToken cancel)
    {
        bool relayed = !request.Relay.Equals(IPAddress.Any);
        AddressPool? pool = plan.Pools.FirstOrDefault(p => p.Subnet.Contains(relayed ? request.Relay : at.Address)) ??
            (relayed ? null : new AddressPool(at.Subnet));
        if (pool is null)
        {
            return null;
        }
        var range = AddressRange.Of(pool, at.Address, plan.Reservations);
        IPAddress? reserved = FindReserved(request.Mac, client.Machine.Serial, plan, pool);
        switch (request.Type)
        {
            case DhcpMessageType.Discover:
                return await FindAddressAsync(request, reserved, range, plan, relayed ? null : whoHas, cancel) is { } offered
                    ? Reply(request, DhcpMessageType.Offer, client, at, offered, proxy: false, AddressOptions(plan, pool, leased: true))
                    : null;
            case DhcpMessageType.Request:
                return AnswerRequest(request, client, at, plan, pool, range, reserved);
            case DhcpMessageType.Inform:
                return Reply(request, DhcpMessageType.Ack, client, at, IPAddress.Any, proxy: false,
                    AddressOptions(plan, pool, leased: false));
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

    /// <summary>An address for a client that nobody else answers for; what strangers answer for is passed over for a lease time.</summary>
    private async ValueTask<IPAddress?> FindAddressAsync(
        DhcpMessage request, IPAddress? reserved, AddressRange range, AddressPlan plan, WhoHas? whoHas, CancellationToken cancel)
    {
        IPAddress? wish = request.FindAddress(DhcpOptionCode.RequestedAddress);
        for (int conflicts = 0; conflicts < MaxConflicts; conflicts++)
        {
            IPAddress? address = leases.Offer(request.Mac, wish, reserved, range, out bool wasHeld);
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
        DhcpMessage request, DhcpClient client, DhcpInterface at, AddressPlan plan, AddressPool pool, AddressRange range,
        IPAddress? reserved)
    {
        if (request.FindAddress(DhcpOptionCode.ServerIdentifier) is { } chosen && !chosen.Equals(at.Address))
        {
            leases.Release(request.Mac);
            return null;
        }
        IPAddress wanted = request.FindAddress(DhcpOptionCode.RequestedAddress) ?? request.ClientAddress;
        if (leases.TryTake(request.Mac, wanted, reserved, range, plan.LeaseTime))
        {
            return Reply(request, DhcpMessageType.Ack, client, at, wanted, proxy: false, AddressOptions(plan, pool, leased: true));
        }
        DhcpMessage refusal = Reply(request, DhcpMessageType.Nak, default, at, IPAddress.Any, proxy: false,
            [DhcpOption.Text(DhcpOptionCode.Message, "this address is not yours")]);
        // A relay must not send it to an address that is not the client's.
        return refusal with { Broadcast = refusal.Broadcast || !request.Relay.Equals(IPAddress.Any) };
    }

    /// <summary>
    /// The address kept for a board. The system on a board does not tell the serial number that its boot program told: it keeps what its
    /// MAC has.
    /// </summary>
    private IPAddress? FindReserved(MacAddress mac, uint? serial, AddressPlan plan, AddressPool pool)
    {
        if (plan.Reservations.Count == 0)
        {
            return null;
        }
        IPAddress? held = leases.Find(mac);
        Reservation? found = plan.Reservations.FirstOrDefault(r => r.IsFor(mac, serial)) ??
            plan.Reservations.FirstOrDefault(r => r.Mac is null && r.Address.Equals(held));
        return found is not null && pool.Subnet.Contains(found.Address) ? found.Address : null;
    }

    private DhcpMessage Reply(
        DhcpMessage request, DhcpMessageType type, DhcpClient client, DhcpInterface at, IPAddress yours, bool proxy,
        IEnumerable<DhcpOption> address) => new()
        {
            IsRequest = false,
            TransactionId = request.TransactionId,
            Broadcast = request.Broadcast,
            ClientAddress = type == DhcpMessageType.Ack ? request.ClientAddress : IPAddress.Any,
            YourAddress = yours,
            NextServer = client.Kind == BootClientKind.None ? IPAddress.Any : at.Address,
            Relay = request.Relay,
            Mac = request.Mac,
            BootFile = BootAnswer.File(client.Kind, at.Address, options.HttpPort) ?? "",
            Options =
            [
                DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)type),
                DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, at.Address),
                .. address,
                .. BootAnswer.Options(client, at.Address, options.HttpPort, proxy, request.Find(DhcpOptionCode.ClientMachineId)),
                .. RelayOptions(request),
            ],
        };

    /// <summary>What the relay has added is returned as it is, last (RFC 3046 §2.2); more than one option's worth no relay adds.</summary>
    private static DhcpOption[] RelayOptions(DhcpMessage request) =>
        !request.Relay.Equals(IPAddress.Any) && request.Find(DhcpOptionCode.RelayAgentInformation) is { Length: <= 64 } information
            ? [new DhcpOption(DhcpOptionCode.RelayAgentInformation, information)]
            : [];

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
