using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

/// <summary>Who gets which address.</summary>
public sealed class DhcpPoolTests : DhcpTest
{
    private static readonly DhcpInterface s_aliased = s_rack with { Aliases = [new("rack0", IPAddress.Parse("10.78.0.1"), 24)] };

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

    [Theory]
    [InlineData("10.77.0.0/24", "10.77.0.1")]
    [InlineData("10.78.0.0/24", "10.78.0.1")] // an alias'
    [InlineData("10.79.0.0/24", null)] // nobody's
    public void Of_a_pool_that_is_named_all_addresses_are_and_the_server_is_the_one_in_its_subnet(string subnet, string? server)
    {
        Fixture responder = Responder(new AddressPlan { Pools = [new AddressPool(IPNetwork.Parse(subnet))] });
        DhcpMessage? offer = responder.Answer(PiMessages.Discover(), BootClientKind.RaspberryPi, s_aliased);
        Assert.Equal(server is not null, offer is not null);
        if (offer is null)
        {
            return;
        }
        Assert.True(IPNetwork.Parse(subnet).Contains(offer.YourAddress));
        Assert.Equal((server, server, server), (offer.FindAddress(DhcpOptionCode.ServerIdentifier)!.ToString(), offer.NextServer.ToString(),
            offer.FindText(DhcpOptionCode.TftpServerName)));
        DhcpMessage ack = responder.Answer(PiMessages.Discover().As(DhcpMessageType.Request, Wish(offer.YourAddress.ToString()),
            DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, IPAddress.Parse(server!))), BootClientKind.RaspberryPi, s_aliased)!;
        Assert.Equal((DhcpMessageType.Ack, offer.YourAddress), (ack.Type, ack.YourAddress));
    }

    [Fact]
    public void A_board_stays_in_the_subnet_of_its_address_and_a_full_one_gives_way_to_the_next()
    {
        Fixture responder = Responder(new AddressPlan
        {
            Pools =
            [
                new AddressPool(IPNetwork.Parse("10.77.0.0/24"), IPAddress.Parse("10.77.0.10"), IPAddress.Parse("10.77.0.10")),
                new AddressPool(IPNetwork.Parse("10.78.0.0/24"), IPAddress.Parse("10.78.0.10"), IPAddress.Parse("10.78.0.11")),
            ],
        });
        string? Offer(ulong mac, params DhcpOption[] more) => responder.Answer(PiMessages.Client(null, null, more) with
        { Mac = new MacAddress(mac) }, BootClientKind.None, s_aliased)?.YourAddress.ToString();
        Assert.Equal("10.78.0.11", Offer(1, Wish("10.78.0.11")));
        Assert.Equal("10.77.0.10", Offer(2));
        Assert.Equal("10.78.0.10", Offer(3));
        Assert.Null(Offer(4));
        Assert.Equal("10.78.0.11", Offer(1));
    }

    [Fact]
    public void Without_pools_no_address_of_the_interface_itself_is_handed_out()
    {
        DhcpInterface at = new("rack0", IPAddress.Parse("10.77.0.1"), 30) { Aliases = [new("rack0", IPAddress.Parse("10.77.0.2"), 30)] };
        Assert.Null(Responder(new AddressPlan()).Answer(PiMessages.Discover(), BootClientKind.RaspberryPi, at));
        Assert.Equal("10.77.0.2", Responder(new AddressPlan()).Answer(PiMessages.Discover(), BootClientKind.RaspberryPi,
            at with { Aliases = [] })!.YourAddress.ToString());
    }
}
