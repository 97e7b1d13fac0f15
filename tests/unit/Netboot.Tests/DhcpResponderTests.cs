using System.Net;
using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Netboot.Tests;

/// <summary>What replies say.</summary>
public sealed class DhcpResponderTests : DhcpTest
{
    /// <summary>Bytes that every client takes (RFC 2131 §2: 576 with the headers).</summary>
    private const int MustBeTaken = 548;

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

    [Theory]
    [InlineData(BootClientKind.BiosPxe, "undionly.kpxe\0")]
    [InlineData(BootClientKind.UefiHttpArm64, "http://10.77.0.1:8080/boot/files/ipxe-arm64.efi\0")]
    [InlineData(BootClientKind.RaspberryPi, null)]
    public void Names_end_with_a_NUL_except_for_a_Pi(BootClientKind kind, string? file)
    {
        foreach (Fixture responder in new[] { Responder(), Responder(new AddressPlan()) })
        {
            DhcpMessage offer = responder.Answer(PiMessages.Client(null, null), kind, s_rack)!;
            string? Raw(DhcpOptionCode code) => offer.Find(code) is { } data ? System.Text.Encoding.ASCII.GetString(data.Span) : null;
            Assert.Equal((file, file is null ? "10.77.0.1" : "10.77.0.1\0"),
                (Raw(DhcpOptionCode.BootFileName), Raw(DhcpOptionCode.TftpServerName)));
        }
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
    public void The_longest_reply_fits()
    {
        var plan = Pool("192.168.111.200", "192.168.111.250", "192.168.111.254", "192.168.0.0/16") with
        { NameServers = [.. Enumerable.Range(1, 20).Select(i => new IPAddress([10, 0, 0, (byte)i]))] };
        DhcpInterface at = new("x", IPAddress.Parse("192.168.111.111"), 16);
        DhcpMessage reply = Responder(plan).Answer(PiMessages.Discover(), BootClientKind.UefiHttpX64, at)!;
        DhcpMessage bootReply = Responder(plan).Answer(PiMessages.Discover() with { Relay = IPAddress.Parse("192.168.111.254") },
            BootClientKind.UefiHttpX64, at)!;
        Assert.All(new[] { reply, bootReply }, r => Assert.InRange(r.ToArray(pad: true).Length, DhcpMessage.MinimumSize, MustBeTaken));
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
        byte[] bytes = Responder(new AddressPlan()).Answer(PiMessages.Discover())!.ToArray(pad: false);
        Assert.Equal((byte)DhcpOptionCode.End, bytes[^1]);
        Assert.True(DhcpMessage.TryParse(bytes, out DhcpMessage? read));
        Assert.Equal(bytes.Length, 240 + read.Options.Sum(o => 2 + o.Data.Length) + 1);
    }

    [Fact]
    public void An_overlong_machine_id_is_not_returned()
    {
        DhcpMessage request = PiMessages.Client("PXEClient", 7,
            [.. Enumerable.Range(0, 6).Select(_ => new DhcpOption(DhcpOptionCode.ClientMachineId, new byte[250]))]);
        DhcpMessage reply = Responder(new AddressPlan()).Answer(request)!;
        Assert.Null(reply.Find(DhcpOptionCode.ClientMachineId));
        Assert.InRange(reply.ToArray(pad: true).Length, DhcpMessage.MinimumSize, MustBeTaken);
    }

    [Theory]
    [InlineData("01dca6320136c2")]
    [InlineData("ff320136c200010001aabbccdddca6320136c2")]
    public void The_client_s_identifier_is_returned_in_every_answer(string hex)
    {
        Fixture responder = Responder(new AddressPlan());
        DhcpMessage discover = PiMessages.Client("PXEClient:Arch:00007", 7,
            new DhcpOption(DhcpOptionCode.ClientIdentifier, Convert.FromHexString(hex)));
        DhcpMessage offer = responder.Answer(discover)!;
        DhcpMessage?[] replies =
        [
            offer, responder.Answer(discover.As(DhcpMessageType.Request, Wish(offer.YourAddress.ToString()))),
            responder.Answer(discover.As(DhcpMessageType.Request, Wish("192.168.1.20"))), Responder().Answer(discover),
        ];
        Assert.Equal([DhcpMessageType.Offer, DhcpMessageType.Ack, DhcpMessageType.Nak, DhcpMessageType.Offer],
            replies.Select(r => r!.Type));
        Assert.All(replies, reply => Assert.Equal(hex,
            Convert.ToHexStringLower(reply!.Find(DhcpOptionCode.ClientIdentifier)!.Value.Span)));
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
}
