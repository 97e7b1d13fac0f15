using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using CsCheck;

namespace Bootstrap.Netboot.Tests;

public sealed class DhcpMessageTests
{
    [Fact]
    public void Random_bytes_are_read_or_refused_but_never_throw() => Gen.Byte.Array[0, 700].Sample(bytes =>
    {
        DhcpMessage.TryParse(bytes, out _);
        ClientMachineId.TryParse(bytes, out _);
    });

    [Fact]
    public void A_damaged_message_is_read_or_refused_but_never_throws()
    {
        byte[] good = PiMessages.Discover().ToArray(pad: true);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample((at, value, cut) =>
        {
            byte[] bad = [.. good];
            bad[at] = value;
            if (DhcpMessage.TryParse(bad.AsSpan(0, cut), out DhcpMessage? message))
            {
                DhcpClient.Of(message);
            }
        });
    }

    [Fact]
    public void What_is_written_is_read_again() =>
        Gen.Select(Gen.UInt, Gen.ULong, Gen.Bool, Gen.Select(Gen.Byte[1, 254], Gen.Byte.Array[0, 60]).List[0, 4])
            .Sample((xid, mac, flag, options) =>
        {
            var message = new DhcpMessage
            {
                IsRequest = true,
                TransactionId = xid,
                Broadcast = flag,
                Mac = new MacAddress(mac & 0xffffffffffff),
                NextServer = IPAddress.Parse("10.1.2.3"),
                BootFile = "snponly.efi",
                // An option 52 in the middle would change what the other fields mean.
                Options = [.. options.Where(o => o.Item1 != 52).Select(o => new DhcpOption((DhcpOptionCode)o.Item1, o.Item2))],
            };
            Assert.True(DhcpMessage.TryParse(message.ToArray(pad: flag), out DhcpMessage? read));
            Assert.Equal((message.TransactionId, message.Broadcast, message.Mac, message.NextServer, message.BootFile),
                (read.TransactionId, read.Broadcast, read.Mac, read.NextServer, read.BootFile));
            Assert.Equal(message.Options.Select(o => (o.Code, Convert.ToHexString(o.Data.Span))),
                read.Options.Select(o => (o.Code, Convert.ToHexString(o.Data.Span))));
        });

    [Fact]
    public void A_split_option_is_joined()
    {
        var message = new DhcpMessage
        {
            Mac = default,
            Options = [DhcpOption.Text(DhcpOptionCode.BootFileName, "snp"), DhcpOption.Text(DhcpOptionCode.BootFileName, "only.efi")],
        };
        Assert.Equal("snponly.efi", message.FindText(DhcpOptionCode.BootFileName));
    }

    [Fact]
    public void A_long_option_is_split_and_joined_again()
    {
        byte[] vendor = [.. Enumerable.Range(0, 270).Select(i => (byte)i)];
        var message = new DhcpMessage { Mac = PiMessages.Mac, Options = [new DhcpOption(DhcpOptionCode.VendorSpecific, vendor)] };
        Assert.True(DhcpMessage.TryParse(message.ToArray(pad: false), out DhcpMessage? read));
        Assert.Equal([255, 15], [.. read.Options.Select(o => o.Data.Length)]);
        Assert.Equal(vendor, read.Find(DhcpOptionCode.VendorSpecific)!.Value.ToArray());
    }

    [Fact]
    public void Options_that_go_on_in_the_fields_for_file_and_server_name_are_read_in_that_order()
    {
        var message = new DhcpMessage
        {
            IsRequest = true,
            Mac = PiMessages.Mac,
            Options = [DhcpOption.Byte(DhcpOptionCode.Overload, 3), new(DhcpOptionCode.IpxeEncapsulated, new byte[] { 0x13 })],
        };
        byte[] bytes = message.ToArray(pad: false);
        new byte[] { (byte)DhcpOptionCode.IpxeEncapsulated, 1, 1, 255 }.CopyTo(bytes, 108);
        new byte[] { (byte)DhcpOptionCode.IpxeEncapsulated, 1, 1, 255 }.CopyTo(bytes, 44);
        Assert.True(DhcpMessage.TryParse(bytes, out DhcpMessage? read));
        Assert.Equal([0x13, 1, 1], read.Find(DhcpOptionCode.IpxeEncapsulated)!.Value.ToArray());
        Assert.Equal("", read.BootFile);
        Assert.Equal(BootClientKind.Ipxe, DhcpClient.Of(read).Kind);
    }

    [Fact]
    public void The_menu_for_the_ROM_of_a_Pi_3B_ends_with_three_spaces() => Assert.Equal(
        "060103" + "0a0400505845" + "09170000145261737062657272792050692042" + "6f6f74202020" + "ff",
            Convert.ToHexStringLower(PiMenu.Pi3bOption.Span));

    [Theory]
    [InlineData(1)] // the end mark
    [InlineData(2)] // the last byte of option 97
    [InlineData(18)] // all but its first
    [InlineData(19)] // its length
    public void An_option_that_is_cut_short_does_not_cost_the_message(int cut)
    {
        DhcpMessage whole = PiMessages.Discover();
        Assert.True(DhcpMessage.TryParse(whole.ToArray(pad: false).AsSpan()[..^cut], out DhcpMessage? read));
        int left = whole.Options.Count - (cut == 1 ? 0 : 1);
        Assert.Equal(whole.Options.Take(left).Select(o => (o.Code, Convert.ToHexString(o.Data.Span))),
            read.Options.Select(o => (o.Code, Convert.ToHexString(o.Data.Span))));
        Assert.Equal(BootClientKind.RaspberryPi, DhcpClient.Of(read).Kind); // by its MAC prefix
    }

    [Fact]
    public void Options_that_are_cut_short_in_the_field_for_the_file_do_not_cost_those_of_the_server_name()
    {
        byte[] bytes = new DhcpMessage
        {
            IsRequest = true,
            Mac = PiMessages.Mac,
            Options = [DhcpOption.Byte(DhcpOptionCode.Overload, 3), DhcpOption.Byte(DhcpOptionCode.MessageType, 1)],
        }.ToArray(pad: false);
        bytes.AsSpan(108, 128).Fill((byte)DhcpOptionCode.VendorClass);
        new byte[] { (byte)DhcpOptionCode.ClientArchitecture, 2, 0, 7, 255 }.CopyTo(bytes, 44);
        Assert.True(DhcpMessage.TryParse(bytes, out DhcpMessage? read));
        Assert.Equal((DhcpMessageType.Discover, BootClientKind.UefiX64), (read.Type, DhcpClient.Of(read).Kind));
    }

    [Fact]
    public void The_menu_for_a_Pi_is_the_known_good_one() => Assert.Equal(
        "060103" + "0a0400505845" + "09140000115261737062657272792050692042" + "6f6f74" + "ff",
            Convert.ToHexStringLower(PiMenu.Option.Span));

    [Theory]
    [InlineData("0052506934" + "1131c000" + "b2a1d3e4", null)] // too short
    [InlineData("0052506934" + "1131c000" + "b2a1d3e4" + "01eeffc0", 0xc0ffee01u)] // Pi 4, little-endian
    [InlineData("0034695052" + "00c03111" + "e4d3a1b2" + "c0ffee01", 0xc0ffee01u)] // Pi 4, the other byte order
    [InlineData("0052506935" + "7041d004" + "b2a1d3e4" + "01eeffc0", 0xc0ffee01u)] // Pi 5
    [InlineData("00" + "01eeffc0" + "01eeffc0" + "01eeffc0" + "01eeffc0", 0xc0ffee01u)] // Pi 3B+: serial four times
    [InlineData("0044444444444444444444444444444444", null)] // Pi 3B ROM
    public void Option_97_of_a_Pi_tells_its_serial(string hex, uint? serial)
    {
        ClientMachineId.TryParse(Convert.FromHexString(hex), out ClientMachineId id);
        Assert.Equal(serial, id.Serial);
    }

    [Theory]
    [InlineData("ffffffffffffffffffffffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff")]
    [InlineData("00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000")]
    [InlineData("00000077000000408000000000000007", "77000000-0000-4000-8000-000000000007")] // as OVMF and iPXE send it
    public void Option_97_of_a_PC_is_its_UUID(string hex, string uuid)
    {
        Assert.True(ClientMachineId.TryParse(Convert.FromHexString("00" + hex), out ClientMachineId id));
        Assert.Equal((MachineIdForm.Uuid, Guid.Parse(uuid)), (id.Form, id.Uuid));
    }
}
