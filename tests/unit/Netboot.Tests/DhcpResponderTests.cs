using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

public sealed class DhcpResponderTests
{
    private static readonly DhcpInterface s_rack = new("rack0", IPAddress.Parse("10.77.0.1"), 24);
    private static readonly MacAddress s_other = new(0x525400000001);

    private readonly StoppedClock _clock = new();

    private Fixture Responder(AddressPlan? plan = null) => new(plan, _clock);

    private static AddressPlan Pool(string first, string last, string? router = null, string subnet = "10.77.0.0/24") => new()
    {
        Pools = [new AddressPool(IPNetwork.Parse(subnet), IPAddress.Parse(first), IPAddress.Parse(last), router is null ? null
            : IPAddress.Parse(router))],
    };

    private static DhcpOption Wish(string address) => DhcpOption.Addresses(DhcpOptionCode.RequestedAddress, IPAddress.Parse(address));

    private static BootClientKind Kind(DhcpMessage message) => DhcpClient.Of(message).Kind;

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
        Assert.Equal(request.Find(DhcpOptionCode.ClientMachineId)!.Value.ToArray(),
            reply.Find(DhcpOptionCode.ClientMachineId)!.Value.ToArray());
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
        Fixture responder = Responder(new AddressPlan());
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
        Fixture responder = Responder(Pool("10.77.0.10", "10.77.0.13"));
        IPAddress? Offer(ulong mac) => responder.Answer(PiMessages.Discover() with { Mac = new MacAddress(mac) },
            BootClientKind.RaspberryPi, s_rack)?.YourAddress;
        Assert.Equal(4, new[] { Offer(1), Offer(2), Offer(3), Offer(4) }.Distinct().Count());
        Assert.Null(Offer(5));
        _clock.Advance(LeaseTable.OfferTime);
        Assert.NotNull(Offer(5));
    }

    [Fact]
    public void An_address_of_another_client_or_subnet_is_refused()
    {
        Fixture responder = Responder(new AddressPlan());
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
        Fixture responder = Responder(Pool("10.77.0.10", "10.77.0.10"));
        Assert.NotNull(responder.Answer(PiMessages.Discover(), BootClientKind.RaspberryPi, s_rack));
        DhcpMessage other = PiMessages.Client(null, null) with { Mac = s_other };
        Assert.Null(responder.Answer(other, BootClientKind.None, s_rack));
        Assert.Null(responder.Answer(PiMessages.Discover().As(DhcpMessageType.Release), BootClientKind.RaspberryPi, s_rack));
        Assert.NotNull(responder.Answer(other, BootClientKind.None, s_rack));
    }

    [Fact]
    public void A_client_that_chose_another_server_is_left_to_it() => Assert.Null(Responder(new AddressPlan()).Answer(
        PiMessages.Discover().As(DhcpMessageType.Request,
            DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, IPAddress.Parse("10.77.0.9"))),
        BootClientKind.RaspberryPi, s_rack));

    [Fact]
    public void The_longest_reply_fits()
    {
        var plan = Pool("10.77.0.10", "10.77.0.99",
            router: "10.77.0.254") with
        { NameServers = [.. Enumerable.Range(1, 20).Select(i => new IPAddress([10, 0, 0, (byte)i]))] };
        DhcpMessage reply = Responder(plan).Answer(PiMessages.Discover(), BootClientKind.UefiHttpX64,
            new DhcpInterface("x", IPAddress.Parse("192.168.111.111"), 16))!;
        DhcpMessage bootReply = Responder(plan).Answer(PiMessages.Discover() with { Relay = IPAddress.Parse("10.77.0.254") },
            BootClientKind.UefiHttpX64, s_rack)!;
        Assert.InRange(bootReply.Write(new byte[DhcpMessage.MaximumReplySize], pad: true), DhcpMessage.MinimumSize,
            DhcpMessage.MaximumReplySize);
        Assert.InRange(reply.Write(new byte[DhcpMessage.MaximumReplySize], pad: true), DhcpMessage.MinimumSize,
            DhcpMessage.MaximumReplySize);
    }

    [Fact]
    public void Requests_of_a_Pi_4_without_vendor_class_are_still_a_Pi_s()
    {
        DhcpMessage request = PiMessages.Discover().As(DhcpMessageType.Request);
        Assert.Equal(BootClientKind.RaspberryPi,
            Kind(request with { Options = [.. request.Options.Where(o => o.Code != DhcpOptionCode.VendorClass)] }));
    }

    [Fact]
    public void The_ROM_of_a_Pi_3_is_told_from_the_bootcode_that_follows_it()
    {
        DhcpMessage rom3b = PiMessages.Pi3(PiMessages.RomOf3b, asksForMask: false),
            rom3bPlus = PiMessages.Pi3(PiMessages.Serial, asksForMask: false);
        DhcpMessage bootcode = PiMessages.Pi3(PiMessages.Serial, asksForMask: true);
        Assert.Equal([true, true, false, false],
            new[] { rom3b, rom3bPlus, bootcode, PiMessages.Discover() }.Select(m => DhcpClient.Of(m).IsPi3Rom));
        Assert.All(new[] { rom3b, rom3bPlus, bootcode }, m => Assert.Equal(BootClientKind.RaspberryPi, Kind(m)));
    }

    [Fact]
    public void The_ROM_of_a_Pi_3B_alone_gets_three_spaces_after_the_menu_s_text()
    {
        string Menu(DhcpMessage request) => Convert.ToHexString(Responder()
            .Answer(request)!.Find(DhcpOptionCode.VendorSpecific)!.Value.Span);
        Assert.Equal(Convert.ToHexString(PiMenu.Pi3bOption.Span), Menu(PiMessages.Pi3(PiMessages.RomOf3b, asksForMask: false)));
        Assert.Equal(Convert.ToHexString(PiMenu.Option.Span), Menu(PiMessages.Pi3(PiMessages.Serial, asksForMask: false)));
        Assert.Equal(Convert.ToHexString(PiMenu.Option.Span), Menu(PiMessages.Discover()));
    }

    [Fact]
    public void The_ROM_of_a_Pi_3_waits_one_to_two_seconds_and_two_boards_not_equally_long()
    {
        TimeSpan[] times = [.. Enumerable.Range(0, 50).Select(i => DhcpServer.PatienceOf(new MacAddress(0xb827eb000000 + (ulong)i)))];
        Assert.All(times, time => Assert.InRange(time.TotalSeconds, 1, 2));
        Assert.True(times.Distinct().Count() > 40);
    }

    [Fact]
    public void Boards_that_share_a_transaction_id_get_addresses_of_their_own()
    {
        Fixture responder = Responder(new AddressPlan());
        DhcpMessage first = PiMessages.Pi3(PiMessages.RomOf3b, asksForMask: false);
        DhcpMessage second = first with { Mac = new MacAddress(first.Mac.Value + 1) };
        Assert.Equal(first.TransactionId, second.TransactionId);
        Assert.NotEqual(responder.Answer(first)!.YourAddress, responder.Answer(second)!.YourAddress);
    }

    [Fact]
    public void A_3B_that_never_sends_a_request_keeps_what_it_was_offered_while_it_boots()
    {
        Fixture responder = Responder(Pool("10.77.0.10", "10.77.0.11"));
        IPAddress rom = responder.Answer(PiMessages.Pi3(PiMessages.RomOf3b, asksForMask: false))!.YourAddress;
        _clock.Advance(LeaseTable.OfferTime - TimeSpan.FromSeconds(1));
        Assert.NotEqual(rom, responder.Answer(PiMessages.Discover())!.YourAddress);
        Assert.Equal(rom, responder.Answer(PiMessages.Pi3(PiMessages.Serial, asksForMask: true))!.YourAddress);
    }

    [Theory]
    [InlineData(BootClientKind.UefiHttpX64, "HTTPClient")]
    [InlineData(BootClientKind.UefiHttpArm64, "HTTPClient")]
    [InlineData(BootClientKind.UefiX64, "PXEClient")]
    [InlineData(BootClientKind.RaspberryPi, "PXEClient")]
    public void A_proxy_s_offer_has_the_vendor_class_that_its_client_looks_for(BootClientKind kind, string expected)
    {
        DhcpMessage offer = Responder().Answer(PiMessages.Client(null, null), kind, s_rack)!;
        Assert.Equal(expected, offer.FindText(DhcpOptionCode.VendorClass));
        Assert.Equal(kind is BootClientKind.UefiHttpX64 or BootClientKind.UefiHttpArm64,
            offer.BootFile.StartsWith("http://10.77.0.1:8080/", StringComparison.Ordinal));
    }

    [Fact]
    public void A_reply_to_a_Pi_has_no_pads()
    {
        byte[] bytes = new byte[DhcpMessage.MaximumReplySize];
        int length = Responder(new AddressPlan()).Answer(PiMessages.Discover())!.Write(bytes, pad: false);
        Assert.Equal((byte)DhcpOptionCode.End, bytes[length - 1]);
        Assert.True(DhcpMessage.TryParse(bytes.AsSpan(0, length), out DhcpMessage? read));
        Assert.Equal(length, 240 + read.Options.Sum(o => 2 + o.Data.Length) + 1);
    }

    [Fact]
    public void An_overlong_machine_id_is_not_returned()
    {
        DhcpMessage request = PiMessages.Client("PXEClient", 7,
            [.. Enumerable.Range(0, 6).Select(_ => new DhcpOption(DhcpOptionCode.ClientMachineId, new byte[250]))]);
        DhcpMessage reply = Responder(new AddressPlan()).Answer(request)!;
        Assert.Null(reply.Find(DhcpOptionCode.ClientMachineId));
        Assert.InRange(reply.Write(new byte[DhcpMessage.MaximumReplySize], pad: true), DhcpMessage.MinimumSize,
            DhcpMessage.MaximumReplySize);
    }

    [Fact]
    public void An_address_that_a_stranger_answers_for_is_not_offered_for_a_lease_time()
    {
        AddressPlan two = Pool("10.77.0.10", "10.77.0.11");
        string first = Responder(two).Answer(PiMessages.Discover())!.YourAddress.ToString(), second = first == "10.77.0.10" ? "10.77.0.11"
            : "10.77.0.10";
        Fixture responder = Responder(two);
        // The board answers for one of them itself, by the system that it runs: that is no stranger.
        (responder.Strangers[first], responder.Strangers[second]) = (s_other, PiMessages.Mac);
        Assert.Equal(second, responder.Answer(PiMessages.Discover())!.YourAddress.ToString());
        responder.Strangers.Clear();
        Assert.Null(responder.Answer(PiMessages.Discover() with { Mac = new MacAddress(7) }));
        _clock.Advance(new AddressPlan().LeaseTime);
        Assert.NotNull(responder.Answer(PiMessages.Discover() with { Mac = new MacAddress(7) }));
    }

    [Fact]
    public void A_declined_address_is_not_offered_again_soon()
    {
        Fixture responder = Responder(Pool("10.77.0.10", "10.77.0.11"));
        IPAddress first = responder.Answer(PiMessages.Discover())!.YourAddress;
        Assert.Null(responder.Answer(PiMessages.Discover().As(DhcpMessageType.Decline, Wish(first.ToString()))));
        IPAddress second = responder.Answer(PiMessages.Discover())!.YourAddress;
        Assert.NotEqual(first, second);
        // An address that is not its own a client cannot take from others.
        Assert.Null(responder.Answer(PiMessages.Discover().As(DhcpMessageType.Decline, Wish(second.ToString())) with { Mac = s_other }));
        Assert.Equal(second, responder.Answer(PiMessages.Discover())!.YourAddress);
    }

    [Fact]
    public void A_reserved_address_is_its_board_s_alone()
    {
        AddressPlan plan = Pool("10.77.0.10",
            "10.77.0.11") with
        { Reservations = [new Reservation(IPAddress.Parse("10.77.0.10"), Mac: PiMessages.Mac)] };
        Fixture responder = Responder(plan);
        Assert.Equal("10.77.0.11", responder.Answer(PiMessages.Discover() with { Mac = s_other })!.YourAddress.ToString());
        Assert.Null(responder.Answer(PiMessages.Discover() with { Mac = new MacAddress(3) }));
        Assert.Equal("10.77.0.10", responder.Answer(PiMessages.Discover())!.YourAddress.ToString());
        DhcpMessage wrong = PiMessages.Discover().As(DhcpMessageType.Request, Wish("10.77.0.11"));
        Assert.Equal(DhcpMessageType.Nak, responder.Answer(wrong)!.Type);
        Assert.Equal(DhcpMessageType.Nak,
            responder.Answer(wrong.As(DhcpMessageType.Request, Wish("10.77.0.10")) with { Mac = s_other })!.Type);
    }

    [Fact]
    public void A_board_reserved_by_its_serial_keeps_the_address_when_its_system_asks_without_it()
    {
        Fixture responder = Responder(new AddressPlan
        {
            Reservations = [new Reservation(IPAddress.Parse("10.77.0.200"),
            Serial: 0xc0ffee01)]
        });
        Assert.Equal("10.77.0.200", responder.Answer(PiMessages.Discover())!.YourAddress.ToString());
        DhcpMessage system = PiMessages.Client(null, null, Wish("10.77.0.200")).As(DhcpMessageType.Request);
        DhcpMessage ack = responder.Answer(system)!;
        Assert.Equal((DhcpMessageType.Ack, "10.77.0.200"), (ack.Type, ack.YourAddress.ToString()));
        Assert.NotEqual("10.77.0.200",
            responder.Answer(PiMessages.Client(null, null, Wish("10.77.0.200")) with { Mac = s_other })!.YourAddress.ToString());
    }

    [Fact]
    public void A_relayed_client_gets_an_address_of_its_own_subnet_and_the_relay_its_option_back()
    {
        Fixture responder = Responder(Pool("10.9.0.10", "10.9.0.20", "10.9.0.1", "10.9.0.0/24"));
        DhcpMessage request = PiMessages.Client("PXEClient", 7,
            new DhcpOption(DhcpOptionCode.RelayAgentInformation, new byte[] { 1, 1, 7 })) with
        { Relay = IPAddress.Parse("10.9.0.1") };
        DhcpMessage offer = responder.Answer(request)!;
        Assert.InRange(AddressRange.Number(offer.YourAddress), AddressRange.Number(IPAddress.Parse("10.9.0.10")),
            AddressRange.Number(IPAddress.Parse("10.9.0.20")));
        Assert.Equal((request.Relay, request.Relay), (offer.Relay, offer.FindAddress(DhcpOptionCode.Router)));
        Assert.Equal(DhcpOptionCode.RelayAgentInformation, offer.Options[^1].Code);
        Assert.Equal([1, 1, 7], offer.Options[^1].Data.ToArray());
        Assert.Equal(s_rack.Address, offer.NextServer);
        // The own wire is no relay's pool; for an unknown relay there is none.
        Assert.True(s_rack.Subnet.Contains(responder.Answer(PiMessages.Discover())!.YourAddress));
        Assert.Null(responder.Answer(request with { Relay = IPAddress.Parse("10.8.0.1") }));
    }

    [Fact]
    public void A_refusal_through_a_relay_is_broadcast_on_the_client_s_wire()
    {
        Fixture responder = Responder(Pool("10.9.0.10", "10.9.0.20", "10.9.0.1", "10.9.0.0/24"));
        DhcpMessage nak = responder.Answer(PiMessages.Client(null, null)
            .As(DhcpMessageType.Request, Wish("10.77.0.5")) with
        { Relay = IPAddress.Parse("10.9.0.1") })!;
        Assert.Equal((DhcpMessageType.Nak, true), (nak.Type, nak.Broadcast));
    }

    [Fact]
    public void In_proxy_mode_a_relayed_board_is_told_where_to_boot_from()
    {
        DhcpMessage offer = Responder().Answer(PiMessages.Discover() with { Relay = IPAddress.Parse("10.9.0.1") })!;
        Assert.Equal((IPAddress.Parse("10.9.0.1"), s_rack.Address, IPAddress.Any), (offer.Relay, offer.NextServer, offer.YourAddress));
    }

    [Fact]
    public void Each_interface_answers_with_its_own_address()
    {
        Fixture responder = Responder();
        DhcpMessage request = PiMessages.Discover();
        DhcpMessage there = responder.Answer(request, BootClientKind.RaspberryPi,
            new DhcpInterface("eth1", IPAddress.Parse("192.168.5.1"), 24))!;
        Assert.Equal(("192.168.5.1", "192.168.5.1", "192.168.5.1"),
            (there.NextServer.ToString(), there.FindAddress(DhcpOptionCode.ServerIdentifier)!.ToString(),
                there.FindText(DhcpOptionCode.TftpServerName)));
    }

    [Fact]
    public void The_broadcast_flag_is_returned() =>
        Assert.Equal([true, false], new[] { true, false }.Select(flag => Responder()
            .Answer(PiMessages.Discover() with { Broadcast = flag })!.Broadcast));

    [Fact]
    public void A_board_that_is_not_to_boot_from_the_network_gets_its_address_and_no_boot_information()
    {
        var gate = new Gate(admitted: false);
        Assert.Null(new Fixture(null, _clock, gate).Answer(PiMessages.Discover()));
        DhcpMessage offer = new Fixture(new AddressPlan(), _clock, gate).Answer(PiMessages.Discover())!;
        Assert.NotEqual(IPAddress.Any, offer.YourAddress);
        Assert.Equal(IPAddress.Any, offer.NextServer);
        Assert.Null(offer.Find(DhcpOptionCode.VendorSpecific));
        Assert.Null(offer.Find(DhcpOptionCode.TftpServerName));
        Assert.Null(new Fixture(null, _clock, gate)
            .AnswerBootServer(PiMessages.Discover().As(DhcpMessageType.Request), BootClientKind.RaspberryPi, s_rack));
        Assert.NotNull(new Fixture(null, _clock, new Gate(admitted: true)).Answer(PiMessages.Discover()));
    }

    private sealed class Gate(bool admitted) : IBootGate
    {
        public bool Admits(MacAddress mac, DhcpClient client, DhcpMessageType asked) => admitted;
    }

    /// <summary>A responder on one wire, on which strangers have addresses.</summary>
    private sealed class Fixture(AddressPlan? plan, TimeProvider clock, IBootGate? gate = null)
    {
        private readonly DhcpResponder _responder =
            new(new DhcpServerOptions { HttpPort = 8080, Addresses = plan, Gate = gate }, new LeaseTable(new MemoryLeaseStore(), clock));

        public Dictionary<string, MacAddress> Strangers { get; } = [];

        public DhcpMessage? Answer(DhcpMessage request, BootClientKind kind, DhcpInterface at) =>
            Answer(request, DhcpClient.Of(request) with { Kind = kind }, at);

        public DhcpMessage? Answer(DhcpMessage request) => Answer(request, DhcpClient.Of(request), s_rack);

        public DhcpMessage? AnswerBootServer(DhcpMessage request, BootClientKind kind, DhcpInterface at) =>
            _responder.AnswerBootServer(request, _responder.Admit(request, DhcpClient.Of(request) with { Kind = kind }), at);

        private DhcpMessage? Answer(DhcpMessage request, DhcpClient client, DhcpInterface at)
        {
            ValueTask<DhcpMessage?> answer = _responder.AnswerAsync(request, _responder.Admit(request, client), at,
                (address, _) => new(Strangers.TryGetValue(address.ToString(), out MacAddress mac) ? mac : null), CancellationToken.None);
            Assert.True(answer.IsCompleted, "nothing here waits");
            return answer.GetAwaiter().GetResult();
        }
    }

    private sealed class StoppedClock : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Advance(TimeSpan time) => _now += time;
    }
}
