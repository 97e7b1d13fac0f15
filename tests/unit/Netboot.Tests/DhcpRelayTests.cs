using System.Net;
using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Netboot.Tests;

/// <summary>Clients behind relays, and what relays and switches add to what they say.</summary>
public sealed class DhcpRelayTests : DhcpTest
{
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
        // Nothing else was named: neither the own wire nor another relay has a pool.
        Assert.Null(responder.Answer(PiMessages.Discover()));
        Assert.Null(responder.Answer(request with { Relay = IPAddress.Parse("10.8.0.1") }));
    }

    [Theory]
    [InlineData("10.9.0.1", 65)]
    [InlineData("10.9.0.1", 255)]
    [InlineData("10.9.0.1", 300)] // two options on the wire
    [InlineData("0.0.0.0", 7)] // a switch adds it, and is no relay
    public void What_a_relay_has_added_is_returned_whole_and_last(string relay, int length)
    {
        byte[] added = [1, 4, 0, 0, 0, 7, 2, .. new byte[length - 7]];
        AddressPlan plan = new() { Pools = [new AddressPool(IPNetwork.Parse("10.9.0.0/24")), new AddressPool(s_rack.Subnet)] };
        DhcpMessage request = PiMessages.Client("PXEClient", 7, new DhcpOption(DhcpOptionCode.RelayAgentInformation, added)) with
        { Relay = IPAddress.Parse(relay) };
        foreach (Fixture responder in new[] { Responder(plan), Responder() })
        {
            Assert.True(DhcpMessage.TryParse(responder.Answer(request)!.ToArray(pad: true), out DhcpMessage? offer));
            Assert.Equal(added, offer.Find(DhcpOptionCode.RelayAgentInformation)!.Value.ToArray());
            Assert.Equal(DhcpOptionCode.RelayAgentInformation, offer.Options[^1].Code);
        }
    }

    [Theory]
    [InlineData("05040a090003", "10.9.0.0/24", false)] // sub-option 5: the link, where giaddr is the relay's address elsewhere
    [InlineData(null, "10.9.0.0/24", true)] // option 118
    [InlineData("05040a080003", "10.8.0.0/24", true)] // both: the relay's word is the one that counts
    [InlineData("05040a0a0003", null, false)] // a link without a pool
    public void The_link_that_a_relay_or_a_client_names_chooses_the_pool(string? added, string? subnet, bool selects)
    {
        var plan = new AddressPlan
        {
            Pools = [.. new[] { "10.8.0.0/24", "10.9.0.0/24", "10.77.0.0/24" }.Select(p => new AddressPool(IPNetwork.Parse(p)))],
        };
        List<DhcpOption> options = [];
        if (added is not null)
        {
            options.Add(new DhcpOption(DhcpOptionCode.RelayAgentInformation, Convert.FromHexString(added)));
        }
        if (selects)
        {
            options.Add(DhcpOption.Addresses(DhcpOptionCode.SubnetSelection, IPAddress.Parse("10.9.0.9")));
        }
        foreach (string relay in new[] { "10.77.0.9", "0.0.0.0" })
        {
            DhcpMessage? offer = Responder(plan).Answer(PiMessages.Client("PXEClient", 7, [.. options]) with
            { Relay = IPAddress.Parse(relay) });
            Assert.Equal(subnet is not null, offer is not null);
            Assert.True(offer is null || IPNetwork.Parse(subnet!).Contains(offer.YourAddress), $"{offer?.YourAddress}");
            Assert.Equal(selects ? "10.9.0.9" : null, offer?.FindAddress(DhcpOptionCode.SubnetSelection)?.ToString());
        }
    }

    [Fact]
    public void A_relay_that_stands_for_the_server_is_the_server_that_clients_are_told_and_name()
    {
        Fixture responder = Responder(Pool("10.9.0.10", "10.9.0.20", "10.9.0.1", "10.9.0.0/24"));
        DhcpMessage discover = PiMessages.Client("PXEClient", 7,
            new DhcpOption(DhcpOptionCode.RelayAgentInformation, new byte[] { 1, 1, 7, 11, 4, 10, 9, 0, 1 })) with
        { Relay = IPAddress.Parse("10.9.0.1") };
        DhcpMessage offer = responder.Answer(discover)!;
        Assert.Equal("10.9.0.1", offer.FindAddress(DhcpOptionCode.ServerIdentifier)!.ToString());
        Assert.Equal(s_rack.Address, offer.NextServer);
        DhcpMessage? Select(string server) => responder.Answer(discover.As(DhcpMessageType.Request, Wish(offer.YourAddress.ToString()),
            DhcpOption.Addresses(DhcpOptionCode.ServerIdentifier, IPAddress.Parse(server))));
        DhcpMessage ack = Select("10.9.0.1")!;
        Assert.Equal((DhcpMessageType.Ack, "10.9.0.1"), (ack.Type, ack.FindAddress(DhcpOptionCode.ServerIdentifier)!.ToString()));
        Assert.Null(Select("10.9.0.2"));
        // Beside another server it is a boot server that is named, which is asked next, on port 4011.
        Assert.Equal(s_rack.Address, Responder().Answer(discover)!.FindAddress(DhcpOptionCode.ServerIdentifier));
    }

    [Theory]
    [InlineData(DhcpMessageType.Request, "10.9.0.15", DhcpMessageType.Ack)]
    [InlineData(DhcpMessageType.Inform, "10.9.0.200", DhcpMessageType.Ack)]
    [InlineData(DhcpMessageType.Request, "10.9.0.200", DhcpMessageType.Nak)] // not of the pool
    [InlineData(DhcpMessageType.Request, "10.5.0.7", DhcpMessageType.Nak)] // nobody's: the own wire speaks
    public void Who_renews_without_the_relay_is_judged_by_the_pool_of_the_address_that_it_has(DhcpMessageType type, string held,
        DhcpMessageType answer)
    {
        var plan = new AddressPlan
        {
            Pools =
            [
                new AddressPool(s_rack.Subnet), new AddressPool(IPNetwork.Parse("10.9.0.0/24"), IPAddress.Parse("10.9.0.10"),
                    IPAddress.Parse("10.9.0.20"), IPAddress.Parse("10.9.0.1")),
            ],
        };
        DhcpMessage reply = Responder(plan).Answer(PiMessages.Client(null, null).As(type) with { ClientAddress = IPAddress.Parse(held) })!;
        Assert.Equal(answer, reply.Type);
        if (answer == DhcpMessageType.Ack)
        {
            Assert.Equal((held, "10.9.0.1"), (reply.ClientAddress.ToString(), reply.FindAddress(DhcpOptionCode.Router)!.ToString()));
            Assert.Equal(type == DhcpMessageType.Request ? held : "0.0.0.0", reply.YourAddress.ToString());
        }
    }

    [Fact]
    public void An_address_that_a_client_claims_while_it_asks_for_one_means_nothing()
    {
        var plan = new AddressPlan { Pools = [new AddressPool(s_rack.Subnet), new AddressPool(IPNetwork.Parse("10.9.0.0/24"))] };
        Fixture responder = Responder(plan);
        DhcpMessage discover = PiMessages.Client(null, null) with { ClientAddress = IPAddress.Parse("10.9.0.15") };
        DhcpMessage offer = responder.Answer(discover)!;
        Assert.True(s_rack.Subnet.Contains(offer.YourAddress));
        DhcpMessage ack = responder.Answer(discover.As(DhcpMessageType.Request, Wish(offer.YourAddress.ToString())))!;
        Assert.Equal((DhcpMessageType.Ack, offer.YourAddress, IPAddress.Any), (ack.Type, ack.YourAddress, ack.ClientAddress));
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
}
