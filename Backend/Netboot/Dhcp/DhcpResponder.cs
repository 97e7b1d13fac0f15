using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>Where a message was heard.</summary>
/// <param name="Name">The interface's name.</param>
/// <param name="Address">Its address, which replies advertise.</param>
/// <param name="PrefixLength">Bits of its subnet's mask.</param>
public sealed record DhcpInterface(string Name, IPAddress Address, int PrefixLength);

/// <summary>
/// Decides what to answer; no sockets. Told nothing are: in proxy mode whoever does not boot from the network, and every message but DISCOVER
/// (the address server's business) and a REQUEST to the boot server's port; in full mode clients that chose another server, and clients
/// behind a relay, for whose subnet there is no range.
/// </summary>
public sealed class DhcpResponder(DhcpServerOptions options, LeaseTable leases)
{
    /// <summary>The reply to a message to the DHCP port; null: none.</summary>
    public DhcpMessage? Answer(DhcpMessage request, BootClientKind kind, DhcpInterface at) =>
        !request.IsRequest ? null : options.Addresses is { } plan ? AnswerFull(request, kind, at, plan) : AnswerProxy(request, kind, at);

    /// <summary>The reply to a message to the boot server's port 4011 (PXE 2.1 §2.2.5); null: none.</summary>
    public DhcpMessage? AnswerBootServer(DhcpMessage request, BootClientKind kind, DhcpInterface at) =>
        request is { IsRequest: true, Type: DhcpMessageType.Request or DhcpMessageType.Inform } && kind != BootClientKind.None
            ? Reply(request, DhcpMessageType.Ack, kind, at, IPAddress.Any, proxy: true, [])
            : null;

    private DhcpMessage? AnswerProxy(DhcpMessage request, BootClientKind kind, DhcpInterface at) =>
        request.Type == DhcpMessageType.Discover && kind != BootClientKind.None
            ? Reply(request, DhcpMessageType.Offer, kind, at, IPAddress.Any, proxy: true, [])
            : null;

    private DhcpMessage? AnswerFull(DhcpMessage request, BootClientKind kind, DhcpInterface at, AddressPlan plan)
    {
        if (!request.Relay.Equals(IPAddress.Any))
        {
            return null;
        }
        AddressRange range = AddressRange.Of(at.Address, at.PrefixLength, plan);
        switch (request.Type)
        {
            case DhcpMessageType.Discover:
                return leases.Offer(request.Mac, request.FindAddress(DhcpOptionCode.RequestedAddress), range) is { } offered
                    ? Reply(request, DhcpMessageType.Offer, kind, at, offered, proxy: false, AddressOptions(plan, at, leased: true))
                    : null;
            case DhcpMessageType.Request:
                return AnswerRequest(request, kind, at, plan, range);
            case DhcpMessageType.Inform:
                return Reply(request, DhcpMessageType.Ack, kind, at, IPAddress.Any, proxy: false, AddressOptions(plan, at, leased: false));
            case DhcpMessageType.Release:
                leases.Release(request.Mac);
                return null;
            case DhcpMessageType.Decline:
                leases.Decline(request.Mac, plan.LeaseTime);
                return null;
            default:
                return null;
        }
    }

    /// <summary>
    /// RFC 2131 §4.3.2. A client that selects names its server (option 54); one that restarts asks for the address it had (option 50); one that
    /// renews has it (ciaddr). This server is the only one, so it speaks for the subnet: what cannot be granted is refused at once.
    /// </summary>
    private DhcpMessage? AnswerRequest(DhcpMessage request, BootClientKind kind, DhcpInterface at, AddressPlan plan, AddressRange range)
    {
        if (request.FindAddress(DhcpOptionCode.ServerIdentifier) is { } chosen && !chosen.Equals(at.Address))
        {
            leases.Release(request.Mac);
            return null;
        }
        IPAddress wanted = request.FindAddress(DhcpOptionCode.RequestedAddress) ?? request.ClientAddress;
        return leases.TryTake(request.Mac, wanted, range, plan.LeaseTime)
            ? Reply(request, DhcpMessageType.Ack, kind, at, wanted, proxy: false, AddressOptions(plan, at, leased: true))
            : Reply(request, DhcpMessageType.Nak, BootClientKind.None, at, IPAddress.Any, proxy: false,
                [DhcpOption.Text(DhcpOptionCode.Message, "this address is not yours")]);
    }

    private DhcpMessage Reply(
        DhcpMessage request, DhcpMessageType type, BootClientKind kind, DhcpInterface at, IPAddress yours, bool proxy, IEnumerable<DhcpOption> address) => new()
        {
            IsRequest = false,
            TransactionId = request.TransactionId,
            Broadcast = request.Broadcast,
            ClientAddress = type == DhcpMessageType.Ack ? request.ClientAddress : IPAddress.Any,
            YourAddress = yours,
            NextServer = kind == BootClientKind.None ? IPAddress.Any : at.Address,
            Relay = request.Relay,
            Mac = request.Mac,
            BootFile = BootAnswer.File(kind, at.Address, options.HttpPort) ?? "",
            Options =
            [
                DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)type),
                DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, at.Address),
                .. address,
                .. BootAnswer.Options(kind, at.Address, options.HttpPort, proxy, request.Find(DhcpOptionCode.ClientMachineId)),
            ],
        };

    private static IEnumerable<DhcpOption> AddressOptions(AddressPlan plan, DhcpInterface at, bool leased)
    {
        if (leased)
        {
            yield return DhcpOption.Number(DhcpOptionCode.LeaseTime, (uint)Math.Min(plan.LeaseTime.TotalSeconds, uint.MaxValue));
        }
        uint mask = at.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - at.PrefixLength);
        yield return DhcpOption.Number(DhcpOptionCode.SubnetMask, mask);
        yield return DhcpOption.Number(DhcpOptionCode.BroadcastAddress, AddressRange.Number(at.Address) | ~mask);
        if (plan.Router is { } router)
        {
            yield return DhcpOption.Addresses(DhcpOptionCode.Router, router);
        }
        if (plan.NameServers.Count > 0)
        {
            yield return DhcpOption.Addresses(DhcpOptionCode.DomainNameServer, plan.NameServers);
        }
    }
}
