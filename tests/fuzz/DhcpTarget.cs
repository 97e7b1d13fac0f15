using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Netboot.Ethernet;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Fuzz;

/// <summary>All that a DHCP datagram goes through but the sockets: read, recognised, answered, written.</summary>
internal sealed class DhcpTarget : IFuzzTarget
{
    private static readonly DhcpInterface s_interface = new("rack0", IPAddress.Parse("10.77.0.1"), 16);

    private readonly DhcpResponder _responder;

    public DhcpTarget(bool full)
    {
        Name = full ? "DHCP, full mode" : "DHCP, proxy mode";
        var plan = new AddressPlan
        {
            Pools = [new AddressPool(IPNetwork.Parse("10.77.0.0/16"), IPAddress.Parse("10.77.1.0"), IPAddress.Parse("10.77.1.255"))],
            Reservations = [new Reservation(IPAddress.Parse("10.77.0.9"), Serial: 0xc0ffee01)],
            NameServers = [IPAddress.Parse("10.77.0.1")],
        };
        _responder = new DhcpResponder(new DhcpServerOptions { HttpPort = 8080, Addresses = full ? plan : null },
            new LeaseTable(new MemoryLeaseStore(), TimeProvider.System));
    }

    public string Name { get; }

    public long Answers { get; private set; }

    public IReadOnlyList<byte[]> Samples { get; } =
    [
        Message(DhcpMessageType.Discover, "PXEClient:Arch:00000:UNDI:002001", 0, "0052506934" + "1131c000" + "320136c2" + "01eeffc0"),
        Message(DhcpMessageType.Request, null, 0, "0052506934" + "1131c000" + "320136c2" + "01eeffc0"),
        Message(DhcpMessageType.Discover, "PXEClient:Arch:00000:UNDI:002001", 0, "0044444444444444444444444444444444"),
        Message(DhcpMessageType.Discover, "PXEClient:Arch:00007:UNDI:003016", 7, "0000000077000000408000000000000007"),
        Message(DhcpMessageType.Inform, "HTTPClient:Arch:00016:UNDI:003001", 16, "0000000077000000408000000000000007"),
        Message(DhcpMessageType.Request, "PXEClient:Arch:00011:UNDI:003016", 11, "0000000077000000408000000000000007"),
        Message(DhcpMessageType.Decline, "MSFT 5.0", null, null),
        Message(DhcpMessageType.Release, null, null, null),
    ];

    public async ValueTask TakeAsync(byte[] packet)
    {
        UdpPacket.TryRead(packet, 68, out _);
        ArpMessage.TryParse(packet, out _);
        if (!DhcpMessage.TryParse(packet, out DhcpMessage? message) || message.Type is null)
        {
            return;
        }
        var client = DhcpClient.Of(message);
        foreach (DhcpMessage? reply in new[]
        {
            await _responder.AnswerAsync(message, client, s_interface,
                (address, _) => new(address.GetAddressBytes()[3] % 16 == 0 ? new MacAddress(1) : null), CancellationToken.None),
            _responder.AnswerBootServer(message, client, s_interface),
        })
        {
            if (reply is not null)
            {
                Answers++;
                if (!DhcpMessage.TryParse(reply.ToArray(pad: true), out _))
                {
                    throw new InvalidDataException("the reply cannot be read");
                }
            }
        }
    }

    public Task SettleAsync() => Task.CompletedTask;

    public ValueTask DisposeAsync() => default;

    private static byte[] Message(DhcpMessageType type, string? vendorClass, byte? architecture, string? machineId)
    {
        List<DhcpOption> options =
        [
            DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)type),
            DhcpOption.Addresses(DhcpOptionCode.RequestedAddress, IPAddress.Parse("10.77.1.20")),
            new DhcpOption(DhcpOptionCode.ParameterRequestList, new byte[] { 1, 3, 43, 60, 66, 67 }),
            new DhcpOption(DhcpOptionCode.RelayAgentInformation, new byte[] { 1, 1, 7, 5, 4, 10, 77, 0, 1, 11, 4, 10, 77, 0, 9 }),
        ];
        if (vendorClass is not null)
        {
            options.Add(DhcpOption.Text(DhcpOptionCode.VendorClass, vendorClass));
        }
        if (architecture is { } number)
        {
            options.Add(new DhcpOption(DhcpOptionCode.ClientArchitecture, new byte[] { 0, number }));
        }
        if (machineId is not null)
        {
            options.Add(new DhcpOption(DhcpOptionCode.ClientMachineId, Convert.FromHexString(machineId)));
        }
        return new DhcpMessage
        {
            IsRequest = true,
            TransactionId = 0x26f30339,
            Mac = new MacAddress(0xdca6320136c2),
            Options = options
        }.ToArray(pad: true);
    }
}
