using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

public sealed class DhcpResponderTests
{
    private static readonly DhcpInterface s_rack = new("rack0", IPAddress.Parse("10.77.0.1"), 24);
    private static readonly MacAddress s_other = new(0x525400000001);

    private readonly StoppedClock _clock = new();

    private DhcpResponder Responder(AddressPlan? plan = null) =>
        new(new DhcpServerOptions { HttpPort = 8080, Addresses = plan }, new LeaseTable(new MemoryLeaseStore(), _clock));

    private static BootClientKind Kind(DhcpMessage message)
    {
        ClientMachineId machine = default;
        _ = message.Find(DhcpOptionCode.ClientMachineId) is { } data && ClientMachineId.TryParse(data.Span, out machine);
        return BootClientRecognition.Recognise(message, machine);
    }

    [Theory]
    [InlineData("PXEClient:Arch:00000:UNDI:002001", 0, 0x525400000001, BootClientKind.BiosPxe)]
    [InlineData("PXEClient:Arch:00000:UNDI:002001", 0, 0x2ccf67000001, BootClientKind.RaspberryPi)]
    [InlineData("PXEClient:Arch:00007:UNDI:003016", 7, 0x525400000001, BootClientKind.UefiX64)]
    [InlineData("PXEClient:Arch:00009:UNDI:003016", 9, 0x525400000001, BootClientKind.UefiX64)]
    [InlineData("PXEClient:Arch:00011:UNDI:003016", 11, 0xdca632000001, BootClientKind.UefiArm64)] // UEFI firmware on a Pi
    [InlineData("HTTPClient:Arch:00016:UNDI:003001", 16, 0x525400000001, BootClientKind.UefiHttpX64)]
    [InlineData("HTTPClient:Arch:00019:UNDI:003001", 19, 0x525400000001, BootClientKind.UefiHttpArm64)]
    [InlineData("PXEClient:Arch:00006:UNDI:003016", 6, 0x525400000001, BootClientKind.None)] // 32-bit UEFI: nothing to boot it with
    [InlineData("MSFT 5.0", null, 0x525400000001, BootClientKind.None)]
    [InlineData("android-dhcp-13", null, 0xdca632000001, BootClientKind.None)]
    [InlineData(null, null, 0xdca632000001, BootClientKind.None)] // an operating system on a Pi
    public void Clients_are_told_apart(string? vendorClass, int? architecture, ulong mac, BootClientKind expected) =>
        Assert.Equal(expected, Kind(PiMessages.Client(vendorClass, architecture) with { Mac = new MacAddress(mac) }));

    [Fact]
    public void A_Pi_of_an_unlisted_MAC_prefix_is_known_by_option_97() =>
        Assert.Equal(BootClientKind.RaspberryPi, Kind(PiMessages.Discover() with { Mac = s_other }));

    [Fact]
    public void IPXE_is_known_whatever_firmware_loaded_it() => Assert.Equal(BootClientKind.Ipxe,
        Kind(PiMessages.Client("PXEClient:Arch:00007:UNDI:003010", 7, DhcpOption.Text(DhcpOptionCode.UserClass, "iPXE"))));

    [Fact]
    public void Beside_another_server_a_Pi_is_offered_boot_information_and_no_address()
    {
        DhcpMessage request = PiMessages.Discover();
        DhcpMessage reply = Responder().Answer(request, Kind(request), s_rack)!;
        Assert.Equal((DhcpMessageType.Offer, IPAddress.Any, s_rack.Address, request.TransactionId, request.Mac),
            (reply.Type, reply.YourAddress, reply.NextServer, reply.TransactionId, reply.Mac));
        Assert.Equal("PXEClient", reply.FindText(DhcpOptionCode.VendorClass));
        Assert.Equal(32, reply.Find(DhcpOptionCode.VendorSpecific)!.Value.Length);
        Assert.Equal("10.77.0.1", reply.FindText(DhcpOptionCode.TftpServerName));
        Assert.Equal(s_rack.Address, reply.FindAddress(DhcpOptionCode.ServerIdentifier));
        Assert.Equal(request.Find(DhcpOptionCode.ClientMachineId)!.Value.ToArray(), reply.Find(DhcpOptionCode.ClientMachineId)!.Value.ToArray());
        Assert.Null(reply.Find(DhcpOptionCode.LeaseTime));
    }

    [Fact]
    public void Beside_another_server_strangers_and_address_requests_are_told_nothing()
    {
        DhcpMessage phone = PiMessages.Client("android-dhcp-13", null);
        Assert.Null(Responder().Answer(phone, Kind(phone), s_rack));
        DhcpMessage request = PiMessages.Discover().As(DhcpMessageType.Request);
        Assert.Null(Responder().Answer(request, Kind(request), s_rack));
    }

    [Theory]
    [InlineData(BootClientKind.BiosPxe, "undionly.kpxe")]
    [InlineData(BootClientKind.UefiX64, "snponly.efi")]
    [InlineData(BootClientKind.UefiArm64, "ipxe-arm64.efi")]
    [InlineData(BootClientKind.UefiHttpX64, "http://10.77.0.1:8080/boot/files/ipxe-amd64.efi")]
    [InlineData(BootClientKind.Ipxe, "http://10.77.0.1:8080/boot/ipxe")]
    public void Each_kind_gets_its_boot_file_in_offer_and_boot_server_reply(BootClientKind kind, string file)
    {
        DhcpMessage offer = Responder().Answer(PiMessages.Client(null, null), kind, s_rack)!;
        DhcpMessage ack = Responder().AnswerBootServer(PiMessages.Client(null, null).As(DhcpMessageType.Request), kind, s_rack)!;
        foreach (DhcpMessage reply in new[] { offer, ack })
        {
            Assert.Equal((file, file), (reply.BootFile, reply.FindText(DhcpOptionCode.BootFileName)));
        }
        Assert.Equal(DhcpMessageType.Ack, ack.Type);
    }

    [Fact]
    public void In_full_mode_a_board_gets_an_address_and_keeps_it()
    {
        DhcpResponder responder = Responder(new AddressPlan());
        DhcpMessage discover = PiMessages.Discover();
        DhcpMessage offer = responder.Answer(discover, BootClientKind.RaspberryPi, s_rack)!;
        DhcpMessage ack = responder.Answer(discover.As(DhcpMessageType.Request,
            DhcpOption.Addresses(DhcpOptionCode.RequestedAddress, offer.YourAddress),
            DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, s_rack.Address)), BootClientKind.RaspberryPi, s_rack)!;
        Assert.Equal((DhcpMessageType.Ack, offer.YourAddress), (ack.Type, ack.YourAddress));
        Assert.Equal(IPAddress.Parse("255.255.255.0"), ack.FindAddress(DhcpOptionCode.SubnetMask));
        Assert.Equal(32, ack.Find(DhcpOptionCode.VendorSpecific)!.Value.Length);
        Assert.Equal(offer.YourAddress, responder.Answer(discover, BootClientKind.RaspberryPi, s_rack)!.YourAddress);
    }

    [Fact]
    public void In_full_mode_a_stranger_gets_an_address_without_boot_file()
    {
        DhcpMessage offer = Responder(new AddressPlan()).Answer(PiMessages.Client("MSFT 5.0", null), BootClientKind.None, s_rack)!;
        Assert.NotEqual(IPAddress.Any, offer.YourAddress);
        Assert.Equal(("", IPAddress.Any), (offer.BootFile, offer.NextServer));
        Assert.Null(offer.Find(DhcpOptionCode.VendorClass));
    }

    [Fact]
    public void Nobody_gets_an_address_twice_and_an_offer_counts_as_taken()
    {
        DhcpResponder responder = Responder(new AddressPlan { Range = (IPAddress.Parse("10.77.0.10"), IPAddress.Parse("10.77.0.13")) });
        IPAddress? Offer(ulong mac) => responder.Answer(PiMessages.Discover() with { Mac = new MacAddress(mac) }, BootClientKind.RaspberryPi, s_rack)?.YourAddress;
        Assert.Equal(4, new[] { Offer(1), Offer(2), Offer(3), Offer(4) }.Distinct().Count());
        Assert.Null(Offer(5));
        _clock.Advance(LeaseTable.OfferTime);
        Assert.NotNull(Offer(5));
    }

    [Fact]
    public void An_address_of_another_client_or_subnet_is_refused()
    {
        DhcpResponder responder = Responder(new AddressPlan());
        IPAddress taken = responder.Answer(PiMessages.Discover(), BootClientKind.RaspberryPi, s_rack)!.YourAddress;
        foreach (IPAddress wish in new[] { taken, IPAddress.Parse("192.168.1.20"), s_rack.Address })
        {
            DhcpMessage request = PiMessages.Client(null, null).As(DhcpMessageType.Request,
                DhcpOption.Addresses(DhcpOptionCode.RequestedAddress, wish)) with
            { Mac = s_other };
            Assert.Equal(DhcpMessageType.Nak, responder.Answer(request, BootClientKind.None, s_rack)!.Type);
        }
    }

    [Fact]
    public void A_released_address_is_free_at_once()
    {
        DhcpResponder responder = Responder(new AddressPlan { Range = (IPAddress.Parse("10.77.0.10"), IPAddress.Parse("10.77.0.10")) });
        Assert.NotNull(responder.Answer(PiMessages.Discover(), BootClientKind.RaspberryPi, s_rack));
        DhcpMessage other = PiMessages.Client(null, null) with { Mac = s_other };
        Assert.Null(responder.Answer(other, BootClientKind.None, s_rack));
        Assert.Null(responder.Answer(PiMessages.Discover().As(DhcpMessageType.Release), BootClientKind.RaspberryPi, s_rack));
        Assert.NotNull(responder.Answer(other, BootClientKind.None, s_rack));
    }

    [Fact]
    public void A_client_that_chose_another_server_is_left_to_it() => Assert.Null(Responder(new AddressPlan()).Answer(
        PiMessages.Discover().As(DhcpMessageType.Request, DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, IPAddress.Parse("10.77.0.9"))),
        BootClientKind.RaspberryPi, s_rack));

    [Fact]
    public void The_longest_reply_fits()
    {
        var plan = new AddressPlan { Router = IPAddress.Parse("10.77.0.254"), NameServers = [.. Enumerable.Range(1, 8).Select(i => new IPAddress([10, 0, 0, (byte)i]))] };
        DhcpMessage reply = Responder(plan).Answer(PiMessages.Discover(), BootClientKind.UefiHttpX64, new DhcpInterface("x", IPAddress.Parse("192.168.111.111"), 16))!;
        Assert.InRange(reply.Write(new byte[DhcpMessage.MaximumReplySize], pad: true), DhcpMessage.MinimumSize, DhcpMessage.MaximumReplySize);
    }

    private sealed class StoppedClock : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Advance(TimeSpan time) => _now += time;
    }
}
