using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Lab.Tests;

/// <summary>
/// The same bytes to this appliance's DHCP and TFTP and to Debian's dnsmasq, each in a rack of its own under the same address: what an
/// answer must say is what both say. Where the two differ on purpose a comment tells why.
/// </summary>
public sealed class SecondOpinionTests(SecondOpinionTests.TwoRacks racks) : IClassFixture<SecondOpinionTests.TwoRacks>
{
    private const string Near = "10.77.0.0/24", Far = "10.9.0.0/24";
    private const int Server = 67, Client = 68;

    private static readonly IPEndPoint s_tftp = new(IPAddress.Parse(VirtualRack.Address), 69);
    private static readonly IPAddress s_relay = IPAddress.Parse("10.9.0.1");
    private static readonly MacAddress s_mac = new(0x525400000009);

    private static int s_lastPort = 3000;

    private readonly CancellationToken _end = TestContext.Current.CancellationToken;

    /// <summary>A datagram that a question has brought.</summary>
    private sealed record Heard(IPEndPoint From, IPAddress To, byte[] Bytes)
    {
        public DhcpMessage Dhcp => DhcpMessage.TryParse(Bytes, out DhcpMessage? message) ? message
            : throw new InvalidDataException(Convert.ToHexString(Bytes));

        public byte[]? Option(DhcpOptionCode code) => Dhcp.Find(code)?.ToArray();
    }

    /// <summary>The two, with the same settings and files.</summary>
    public sealed class TwoRacks : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("bootstrap-opinion-").FullName;
        private readonly List<RackProcess> _servers = [];

        public VirtualRack Ours { get; private set; } = null!;

        public VirtualRack Theirs { get; private set; } = null!;

        public IReadOnlyList<VirtualRack> All => [Ours, Theirs];

        public async ValueTask InitializeAsync()
        {
            CancellationToken end = TestContext.Current.CancellationToken;
            await File.WriteAllTextAsync(Path.Combine(_folder, "one"), new string('1', 3000), end);
            await File.WriteAllTextAsync(Path.Combine(_folder, "two"), "2", end);
            (Ours, Theirs) = (await VirtualRack.StartAsync(addressServer: false), await VirtualRack.StartAsync(addressServer: false));
            foreach (VirtualRack rack in All)
            {
                await rack.RunAsync("ip", "route", "add", Far, "dev", VirtualRack.Switch);
            }
            _servers.Add(await Ours.StartAsync([.. Namespaces.Self, "netboot", "--folder", _folder, "--dhcp", "full", "--pool",
                $"{Near},10.77.0.100-10.77.0.150 {Far},10.9.0.100-10.9.0.150"]));
            _servers.Add(await Theirs.StartAsync(["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts",
                "--no-resolv", "--port=0", $"--interface={VirtualRack.Switch}", "--no-ping", "--dhcp-authoritative", "--leasefile-ro",
                "--dhcp-range=10.77.0.100,10.77.0.150,255.255.255.0,12h", "--dhcp-range=10.9.0.100,10.9.0.150,255.255.255.0,12h",
                "--dhcp-match=set:http,175,19", "--dhcp-boot=tag:!http,undionly.kpxe,10.77.0.1,10.77.0.1",
                "--dhcp-boot=tag:http,http://10.77.0.1:8080/boot/ipxe,10.77.0.1,10.77.0.1", "--enable-tftp", $"--tftp-root={_folder}",
                "--pid-file=", "--user=root", "--group=", "--log-facility=-"]));
            await _servers[0].Output.WaitForAsync("\"serving\"", end);
            await _servers[1].Errors.WaitForAsync("TFTP root is", end);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (RackProcess server in _servers)
            {
                await server.DisposeAsync();
            }
            foreach (VirtualRack rack in All)
            {
                await rack.DisposeAsync();
            }
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Fact]
    public async Task Names_in_options_end_with_a_NUL()
    {
        (Heard ours, Heard theirs) = await AskBothAsync(Discover(Pxe(0)));
        foreach (DhcpOptionCode code in new[] { DhcpOptionCode.BootFileName, DhcpOptionCode.TftpServerName })
        {
            Assert.Equal(theirs.Option(code), ours.Option(code));
        }
        Assert.Equal("undionly.kpxe\0"u8.ToArray(), ours.Option(DhcpOptionCode.BootFileName));
    }

    [Theory]
    [InlineData("130101", "http://10.77.0.1:8080/boot/ipxe")]
    [InlineData("220101", "undionly.kpxe")]
    public async Task An_iPXE_is_given_what_its_features_can_load(string feature, string file)
    {
        (Heard ours, Heard theirs) = await AskBothAsync(Discover(
        [
            .. Pxe(0), DhcpOption.Text((DhcpOptionCode)77, "iPXE"), // user class
            new DhcpOption(DhcpOptionCode.IpxeEncapsulated, Convert.FromHexString("b105018086100e" + feature)),
        ]));
        Assert.Equal((file, file), (theirs.Dhcp.FindText(DhcpOptionCode.BootFileName), ours.Dhcp.FindText(DhcpOptionCode.BootFileName)));
    }

    [Theory]
    [InlineData(1000, "blksize=1468", "blksize=968")]
    [InlineData(1500, "blksize=70000", "blksize=1468")]
    [InlineData(1500, "blksize=1024", "blksize=1024")]
    public async Task A_block_is_no_larger_than_what_the_network_carries(int mtu, string asked, string granted)
    {
        await SetMtuAsync(mtu);
        try
        {
            (Heard ours, Heard theirs) = await AskTftpAsync(asked);
            Assert.Equal(theirs.Bytes, ours.Bytes);
            Assert.Equal($"\0\u0006{granted.Replace('=', '\0')}\0", Encoding.ASCII.GetString(ours.Bytes));
        }
        finally
        {
            await SetMtuAsync(1500);
        }
    }

    [Fact]
    public async Task A_block_is_no_larger_than_what_the_route_to_the_client_carries()
    {
        // dnsmasq looks at the interface alone, and grants 1468.
        await racks.Ours.RunAsync("ip", "route", "add", "10.77.0.9/32", "dev", VirtualRack.Switch, "mtu", "800");
        try
        {
            (Heard ours, _) = await AskTftpAsync("blksize=1468");
            Assert.Equal("\0\u0006blksize\0768\0", Encoding.ASCII.GetString(ours.Bytes));
        }
        finally
        {
            await racks.Ours.RunAsync("ip", "route", "delete", "10.77.0.9/32");
        }
    }

    [Theory]
    [InlineData("timeout=999")] // dnsmasq knows no time-outs
    [InlineData("unknown=1")]
    [InlineData("")]
    public async Task An_option_that_nothing_can_come_of_is_passed_over(string option)
    {
        // Of blksize 0 to 7 dnsmasq makes 1 to 7: RFC 2348 has none below 8, and here they are passed over, too.
        (Heard ours, Heard theirs) = await AskTftpAsync(option);
        Assert.Equal(theirs.Bytes, ours.Bytes);
        Assert.Equal([0, 3, 0, 1], ours.Bytes[..4]);
    }

    [Fact]
    public async Task A_stranger_at_the_port_of_a_transfer_is_error_5()
    {
        foreach (VirtualRack rack in racks.All)
        {
            await using RackProcess board = await StartAskingAsync(rack, "10.77.0.9/24", NewPort(), s_tftp,
                [Request("one", "")], patience: 5000);
            Heard first = await board.Output.WaitForAsync(Read, _end);
            IReadOnlyList<Heard> refusal = await AskAsync(rack, "10.77.0.8/24", NewPort(), first.From, [[0, 4, 0, 1]]);
            // The words are each one's own.
            Assert.Equal([0, 5, 0, 5], refusal[0].Bytes[..4]);
        }
    }

    [Fact]
    public async Task A_board_that_begins_anew_from_the_same_port_is_answered()
    {
        foreach (VirtualRack rack in racks.All)
        {
            IReadOnlyList<Heard> heard = await AskAsync(rack, "10.77.0.9/24", NewPort(), s_tftp,
                [Request("one", ""), Request("two", "")], gap: 200);
            Assert.Contains(heard, answer => answer.Bytes.AsSpan().SequenceEqual("\0\u0003\0\u00012"u8));
        }
    }

    [Theory]
    [InlineData(Near)] // a switch has added it
    [InlineData(Far)]
    public async Task What_a_relay_has_added_is_returned_whole_and_last(string subnet)
    {
        byte[] added = [1, 90, .. new byte[90], 2, 6, .. "switch"u8];
        DhcpMessage discover = Discover([.. Pxe(7), new DhcpOption(DhcpOptionCode.RelayAgentInformation, added)]);
        (Heard ours, Heard theirs) = subnet == Near ? await AskBothAsync(discover) : await AskByRelayAsync(discover);
        foreach (Heard answer in new[] { theirs, ours })
        {
            Assert.Equal(added, answer.Option(DhcpOptionCode.RelayAgentInformation));
            Assert.Equal(DhcpOptionCode.RelayAgentInformation, answer.Dhcp.Options[^1].Code);
        }
        AssertOffers(subnet, ours, theirs);
    }

    [Theory]
    [InlineData("05040a4d0005", null, Near)] // link selection, against giaddr
    [InlineData(null, "10.77.0.5", Near)] // subnet selection
    [InlineData("05040a090005", "10.77.0.5", Far)] // the relay's word goes before the client's
    public async Task The_link_that_is_named_chooses_the_addresses(string? relayed, string? selected, string subnet)
    {
        List<DhcpOption> options = [.. Pxe(7)];
        if (relayed is not null)
        {
            options.Add(new DhcpOption(DhcpOptionCode.RelayAgentInformation, Convert.FromHexString(relayed)));
        }
        if (selected is not null)
        {
            options.Add(DhcpOption.Addresses(DhcpOptionCode.SubnetSelection, IPAddress.Parse(selected)));
        }
        (Heard ours, Heard theirs) = await AskByRelayAsync(Discover([.. options]));
        AssertOffers(subnet, ours, theirs);
        // dnsmasq returns the subnet that it chose; RFC 3011 wants the client's option as it came, where it came.
        Assert.Equal(selected, ours.Dhcp.FindAddress(DhcpOptionCode.SubnetSelection)?.ToString());
    }

    [Fact]
    public async Task A_relay_that_stands_for_the_server_is_named_as_it()
    {
        DhcpMessage discover = Discover(
            [.. Pxe(7), new DhcpOption(DhcpOptionCode.RelayAgentInformation, new byte[] { 11, 4, 10, 9, 0, 1 })]);
        (Heard ours, Heard theirs) = await AskByRelayAsync(discover);
        Assert.Equal((s_relay, s_relay), (theirs.Dhcp.FindAddress(DhcpOptionCode.ServerIdentifier),
            ours.Dhcp.FindAddress(DhcpOptionCode.ServerIdentifier)));
    }

    [Theory]
    [InlineData(DhcpMessageType.Request)]
    [InlineData(DhcpMessageType.Inform)]
    public async Task Who_has_an_address_from_behind_a_relay_is_answered_there(DhcpMessageType type)
    {
        var held = IPAddress.Parse("10.9.0.120");
        DhcpMessage renewal = Discover(Pxe(7)) with { ClientAddress = held };
        renewal = renewal with { Options = [DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)type), .. renewal.Options.Skip(1)] };
        (Heard ours, Heard theirs) = await AskBothAsync(renewal, "10.9.0.120/24", to: IPAddress.Parse(VirtualRack.Address));
        foreach (Heard answer in new[] { theirs, ours })
        {
            Assert.Equal((DhcpMessageType.Ack, held, held), (answer.Dhcp.Type, answer.To, answer.Dhcp.ClientAddress));
            Assert.Equal(type == DhcpMessageType.Request ? held : IPAddress.Any, answer.Dhcp.YourAddress);
            Assert.Equal(IPAddress.Parse("255.255.255.0"), answer.Dhcp.FindAddress(DhcpOptionCode.SubnetMask));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_claims_an_address_in_a_DISCOVER_is_not_answered_there(bool broadcast)
    {
        DhcpMessage discover = Discover(Pxe(7)) with { ClientAddress = IPAddress.Parse("10.77.0.66"), Broadcast = broadcast };
        (Heard ours, Heard theirs) = await AskBothAsync(discover);
        AssertOffers(Near, ours, theirs);
        foreach (Heard answer in new[] { theirs, ours })
        {
            Assert.Equal(broadcast ? IPAddress.Broadcast : answer.Dhcp.YourAddress, answer.To);
            Assert.Equal(IPAddress.Any, answer.Dhcp.ClientAddress);
        }
    }

    [Fact]
    public async Task A_client_that_begins_anew_before_it_was_answered_gets_an_answer_to_its_new_question()
    {
        DhcpMessage first = Discover(Pxe(7)), second = first with { TransactionId = 0x0badcafe };
        foreach (VirtualRack rack in racks.All)
        {
            IReadOnlyList<Heard> heard = await AskAsync(rack, "10.77.0.9/24", Client, new IPEndPoint(IPAddress.Broadcast, Server),
                [first.ToArray(pad: true), second.ToArray(pad: true)], gap: 100);
            Assert.Contains(heard, answer => answer.Dhcp is { Type: DhcpMessageType.Offer, TransactionId: 0x0badcafe });
        }
    }

    [Fact]
    public async Task The_client_s_identifier_is_returned()
    {
        // dnsmasq 2.90 does not, RFC 6842 §3 wants it.
        byte[] identifier = [255, 1, 2, 3, 4, 0, 3, 0, 1, 0x52, 0x54, 0, 0, 0, 9];
        (Heard ours, _) = await AskBothAsync(Discover([.. Pxe(7), new DhcpOption(DhcpOptionCode.ClientIdentifier, identifier)]));
        Assert.Equal(identifier, ours.Option(DhcpOptionCode.ClientIdentifier));
    }

    /// <summary>Nobody's yet: what an earlier question has begun is sent again for a while.</summary>
    private static int NewPort() => Interlocked.Increment(ref s_lastPort);

    private static void AssertOffers(string subnet, params Heard[] answers) => Assert.All(answers, answer =>
    {
        Assert.Equal(DhcpMessageType.Offer, answer.Dhcp.Type);
        Assert.True(IPNetwork.Parse(subnet).Contains(answer.Dhcp.YourAddress), $"{answer.Dhcp.YourAddress} is not of {subnet}");
    });

    private static DhcpMessage Discover(params DhcpOption[] options) => new()
    {
        IsRequest = true,
        TransactionId = 0x26f30339,
        Mac = s_mac,
        Options = [DhcpOption.Byte(DhcpOptionCode.MessageType, (byte)DhcpMessageType.Discover), .. options],
    };

    private static DhcpOption[] Pxe(byte architecture) =>
    [
        DhcpOption.Text(DhcpOptionCode.VendorClass, $"PXEClient:Arch:{architecture:D5}:UNDI:003016"),
        new DhcpOption(DhcpOptionCode.ClientArchitecture, new byte[] { 0, architecture }),
        new DhcpOption(DhcpOptionCode.ParameterRequestList, new byte[] { 1, 3, 43, 60, 66, 67 }),
    ];

    /// <summary>A read request, with an option as "blksize=1024".</summary>
    private static byte[] Request(string file, string option) =>
        Encoding.ASCII.GetBytes($"\0\u0001{file}\0octet\0{(option.Length == 0 ? "" : option.Replace('=', '\0') + "\0")}");

    private Task<(Heard Ours, Heard Theirs)> AskTftpAsync(string option) =>
        AskBothAsync("10.77.0.9/24", NewPort(), s_tftp, Request("one", option));

    private Task<(Heard Ours, Heard Theirs)> AskBothAsync(DhcpMessage message, string address = "10.77.0.9/24", int from = Client,
        IPAddress? to = null) =>
        AskBothAsync(address, from, new IPEndPoint(to ?? IPAddress.Broadcast, Server), message.ToArray(pad: true));

    private async Task<(Heard Ours, Heard Theirs)> AskBothAsync(string address, int from, IPEndPoint to, byte[] question)
    {
        IReadOnlyList<Heard>[] answers = await Task.WhenAll(racks.All.Select(rack => AskAsync(rack, address, from, to, [question])));
        return (answers[0][0], answers[1][0]);
    }

    private Task<(Heard Ours, Heard Theirs)> AskByRelayAsync(DhcpMessage message) =>
        AskBothAsync(message with { Relay = s_relay }, $"{s_relay}/24", Server, IPAddress.Parse(VirtualRack.Address));

    private async Task<IReadOnlyList<Heard>> AskAsync(VirtualRack rack, string address, int from, IPEndPoint to,
        IReadOnlyList<byte[]> messages, int gap = 0)
    {
        await using RackProcess asking = await StartAskingAsync(rack, address, from, to, messages, gap);
        await asking.Exited.WaitAsync(_end);
        Heard[] heard = [.. asking.Output.Lines.Select(Read).OfType<Heard>()];
        return heard.Length > 0 ? heard : throw new RackException($"no answer; {string.Join('\n', asking.Errors.Lines)}");
    }

    private static Task<RackProcess> StartAskingAsync(VirtualRack rack, string address, int from, IPEndPoint to,
        IReadOnlyList<byte[]> messages, int gap = 0, int patience = 1500)
    {
        // Everybody is on the one wire, whatever their addresses.
        return rack.StartMachineAsync(from, address,
            ["sh", "-c", "ip route replace 10.77.0.0/24 dev eth0; exec \"$@\"", "sh", .. Namespaces.Self, "ask", "--from", $"{from}",
                "--to", $"{to}", "--messages", string.Join(',', messages.Select(Convert.ToHexString)),
                "--gap", $"{gap}", "--patience", $"{patience}"]);
    }

    private static Heard? Read(string line)
    {
        JsonNode e = JsonNode.Parse(line)!;
        return e.Text("event") == "heard"
            ? new Heard(IPEndPoint.Parse(e.Text("from")), IPAddress.Parse(e.Text("to")), Convert.FromHexString(e.Text("bytes"))) : null;
    }

    private async Task SetMtuAsync(int mtu)
    {
        foreach (VirtualRack rack in racks.All)
        {
            await rack.RunAsync("ip", "link", "set", VirtualRack.Switch, "mtu", $"{mtu}");
        }
    }
}
