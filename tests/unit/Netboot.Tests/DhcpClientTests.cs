using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

/// <summary>Who asks, by what he says of himself, and what each kind is told.</summary>
public sealed class DhcpClientTests : DhcpTest
{
    [Theory]
    [InlineData("PXEClient:Arch:00000:UNDI:002001", 0, 0x525400000001, BootClientKind.BiosPxe)]
    [InlineData("PXEClient:Arch:00000:UNDI:002001", 0, 0x2ccf67000001, BootClientKind.RaspberryPi)]
    [InlineData("PXEClient:Arch:00007:UNDI:003016", 7, 0x525400000001, BootClientKind.UefiX64)]
    [InlineData("PXEClient:Arch:00009:UNDI:003016", 9, 0x525400000001, BootClientKind.UefiX64)]
    [InlineData("PXEClient:Arch:00011:UNDI:003016", 11, 0xdca632000001, BootClientKind.UefiArm64)] // UEFI firmware on a Pi
    [InlineData("HTTPClient:Arch:00016:UNDI:003001", 16, 0x525400000001, BootClientKind.UefiHttpX64)]
    [InlineData("HTTPClient:Arch:00019:UNDI:003001", 19, 0x525400000001, BootClientKind.UefiHttpArm64)]
    [InlineData("PXEClient:Arch:00006:UNDI:003016", 6, 0x525400000001, BootClientKind.Unserved)] // 32-bit UEFI
    [InlineData("HTTPClient:Arch:00018:UNDI:003001", 18, 0x525400000001, BootClientKind.Unserved)]
    [InlineData("PXEClient:Arch:00027:UNDI:003016", 27, 0x525400000001, BootClientKind.Unserved)] // RISC-V
    [InlineData("U-Boot.armv8", 22, 0x525400000001, BootClientKind.UefiArm64)]
    [InlineData("U-Boot.armv7", 21, 0xb827eb000001, BootClientKind.Unserved)]
    [InlineData("PXEClient:Arch:00041:UNDI:002001", 41, 0x525400000001, BootClientKind.RaspberryPi)] // raspberrypi/firmware#1928
    [InlineData("PXEClient:Arch:00007:UNDI:003016", null, 0x525400000001, BootClientKind.UefiX64)] // option 93 is missing
    [InlineData("HTTPClient:Arch:00016", null, 0x525400000001, BootClientKind.UefiHttpX64)]
    [InlineData("PXEClient:Arch:00010:UNDI:003016", null, 0x525400000001, BootClientKind.Unserved)]
    [InlineData("PXEClient:Arch:x", null, 0x525400000001, BootClientKind.Unserved)]
    [InlineData("PXEClient", null, 0x525400000001, BootClientKind.Unserved)]
    [InlineData("PXEClient", null, 0x2ccf67000001, BootClientKind.RaspberryPi)]
    [InlineData("MSFT 5.0", null, 0x525400000001, BootClientKind.None)]
    [InlineData("android-dhcp-13", null, 0xdca632000001, BootClientKind.None)]
    [InlineData(null, null, 0xdca632000001, BootClientKind.None)] // an operating system on a Pi
    public void Clients_are_told_apart(string? vendorClass, int? architecture, ulong mac, BootClientKind expected) =>
        Assert.Equal(expected, Kind(PiMessages.Client(vendorClass, architecture) with { Mac = new MacAddress(mac) }));

    [Theory]
    [InlineData("00060007", BootClientKind.UefiX64)]
    [InlineData("000a0006", BootClientKind.Unserved)]
    [InlineData("000b00", BootClientKind.UefiArm64)] // cut short
    public void Of_several_architectures_the_first_that_is_served_counts(string hex, BootClientKind kind) => Assert.Equal(kind,
        Kind(PiMessages.Client("PXEClient", null, new DhcpOption(DhcpOptionCode.ClientArchitecture, Convert.FromHexString(hex)))));

    [Theory]
    [InlineData("PXEClient:Arch:00006:UNDI:003016", 6)]
    [InlineData("PXEClient", null)]
    public void Who_asks_as_what_is_not_served_is_known_by_it_and_gets_an_address_alone(string vendorClass, int? architecture)
    {
        DhcpMessage request = PiMessages.Client(vendorClass, architecture) with { Mac = s_other };
        Assert.Equal(architecture, DhcpClient.Of(request).Architecture);
        Assert.Null(Responder().Answer(request));
        Assert.Null(Responder().AnswerBootServer(request.As(DhcpMessageType.Request), BootClientKind.Unserved, s_rack));
        DhcpMessage offer = Responder(new AddressPlan()).Answer(request)!;
        Assert.NotEqual(IPAddress.Any, offer.YourAddress);
        Assert.Equal(("", IPAddress.Any), (offer.BootFile, offer.NextServer));
        Assert.Null(offer.Find(DhcpOptionCode.BootFileName));
    }

    [Fact]
    public void A_Pi_of_an_unlisted_MAC_prefix_is_known_by_option_97() =>
        Assert.Equal(BootClientKind.RaspberryPi, Kind(PiMessages.Discover() with { Mac = s_other }));

    [Theory]
    [InlineData(0, "150103130101", "http://10.77.0.1:8080/boot/ipxe")]
    [InlineData(7, "b105018086100e130101220101", "http://10.77.0.1:8080/boot/ipxe")]
    [InlineData(0, "150103220101", "undionly.kpxe")]
    [InlineData(7, "1501032201011301", "snponly.efi")] // cut short
    [InlineData(11, "150103", "ipxe-arm64.efi")]
    [InlineData(7, null, "snponly.efi")] // it calls itself iPXE, and that is all
    public void IPXE_gets_its_script_if_it_speaks_HTTP_and_an_iPXE_that_does_otherwise(int architecture, string? features, string file)
    {
        DhcpMessage request = PiMessages.Client($"PXEClient:Arch:{architecture:D5}:UNDI:003010", architecture,
            DhcpOption.Text((DhcpOptionCode)77, "iPXE")) with // user class
        { Mac = s_other };
        request = features is null ? request : request with
        {
            Options = [.. request.Options, new DhcpOption(DhcpOptionCode.IpxeEncapsulated, Convert.FromHexString(features))],
        };
        Assert.Equal((file, file), Responder().Answer(request) is { } offer ? (offer.BootFile, offer.FindText(DhcpOptionCode.BootFileName))
            : default);
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
}
