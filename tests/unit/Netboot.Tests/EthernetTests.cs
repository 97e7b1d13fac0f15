using System.Net;
using Bootstrap.Netboot.Ethernet;
using Bootstrap.Protocol.Ids;
using CsCheck;

namespace Bootstrap.Netboot.Tests;

public sealed class EthernetTests
{
    [Fact]
    public void A_datagram_is_what_RFC_1071_and_768_say()
    {
        // A DHCP offer's header as dnsmasq's kernel makes it: 10.77.0.2:67 to 10.77.0.100:68, payload "ab".
        byte[] packet = new byte[UdpPacket.HeaderSize + 2];
        int length = UdpPacket.Write(packet, new IPEndPoint(IPAddress.Parse("10.77.0.2"), 67),
            new IPEndPoint(IPAddress.Parse("10.77.0.100"), 68), "ab"u8);
        Assert.Equal(30, length);
        // The sum over a header that holds its own checksum is zero.
        Assert.Equal(0, UdpPacket.Checksum(0, packet.AsSpan(0, 20)));
        Assert.Equal(0, UdpPacket.Checksum(17 + 10, packet.AsSpan(12)));
    }

    [Fact]
    public void What_is_written_is_read_again() => Gen.Select(Gen.Byte.Array[0, 600], Gen.Int[1, 65535]).Sample((payload, port) =>
    {
        byte[] packet = new byte[UdpPacket.HeaderSize + payload.Length];
        UdpPacket.Write(packet, new IPEndPoint(IPAddress.Loopback, 67), new IPEndPoint(IPAddress.Broadcast, port), payload);
        Assert.True(UdpPacket.TryRead(packet, port, out ReadOnlySpan<byte> read) && read.SequenceEqual(payload));
        Assert.False(UdpPacket.TryRead(packet, port ^ 1, out _));
    });

    [Fact]
    public void Random_packets_are_read_or_refused_but_never_throw() => Gen.Byte.Array[0, 100].Sample(bytes =>
    {
        UdpPacket.TryRead(bytes, 68, out _);
        UdpPacket.TryRead([0x45, .. bytes], 68, out _);
        ArpMessage.TryParse(bytes, out _);
    });

    [Fact]
    public void An_ARP_probe_names_no_sender_address()
    {
        byte[] packet = new byte[ArpMessage.Size];
        ArpMessage.Probe(new MacAddress(0xdca6320136c2), IPAddress.Parse("10.77.0.9")).Write(packet);
        Assert.Equal("0001080006040001" + "dca6320136c2" + "00000000" + "000000000000" + "0a4d0009", Convert.ToHexStringLower(packet));
        Assert.True(ArpMessage.TryParse(packet, out ArpMessage read));
        Assert.Equal((true, IPAddress.Any, IPAddress.Parse("10.77.0.9")), (read.IsRequest, read.SenderAddress, read.TargetAddress));
    }

    [Fact]
    public void An_interface_is_looked_up_by_its_name()
    {
        Assert.Equal((1, (IPAddress.Loopback, 8), default(MacAddress)),
            (NetworkLink.FindIndex("lo"), NetworkLink.FindAddresses("lo")[0], NetworkLink.FindMac("lo")));
        Assert.Equal(0, NetworkLink.FindIndex("no-such-thing"));
        Assert.Empty(NetworkLink.FindAddresses("a-name-longer-than-any"));
    }
}
