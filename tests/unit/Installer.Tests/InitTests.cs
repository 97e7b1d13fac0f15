using System.Buffers.Binary;
using System.Net;
using Bootstrap.Init;
using Bootstrap.Init.Network;
using Bootstrap.Protocol.Ids;
using CsCheck;

namespace Bootstrap.Installer.Tests;

public sealed class InitTests
{
    private static readonly MacAddress s_mac = new(0x525400123456);

    [Theory]
    [InlineData("virtio:d00000001v*", "virtio:d00000001v00001AF4", true)]
    [InlineData("virtio:d00000001v*", "virtio:d00000002v00001AF4", false)]
    [InlineData("of:N*T*Cbrcm,bcm2835-sdhost", "of:NmmcT(null)Cbrcm,bcm2835-sdhost", true)]
    [InlineData("usb:v0424pEC00d*dc*", "usb:v0424pEC00d0200dcFFdsc00", true)]
    [InlineData("usb:v0424p780[0-9A]d*", "usb:v0424p7805d0300", true)]
    [InlineData("usb:v0424p780[0-9A]d*", "usb:v0424p780Bd0300", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a[c", "a[c", true)]
    [InlineData("*", "", true)]
    [InlineData("", "a", false)]
    public void Aliases_match_as_fnmatch_does(string pattern, string text, bool matches) =>
        Assert.Equal(matches, Glob.Matches(pattern, text));

    [Theory]
    [InlineData("ttyS0\n", "ttyS0 tty1")]
    [InlineData("tty0 ttyAMA0\n", "tty0 ttyAMA0")]
    [InlineData("tty1\n", "tty1")]
    [InlineData("hvc0 ttyAMA0\n", "ttyAMA0 tty1")] // hvc0 has no device file
    [InlineData("", "tty1")]
    [InlineData(null, "console tty1")]
    public void Lines_are_shown_on_every_console_and_on_the_screen_once(string? active, string shown)
    {
        string root = Directory.CreateTempSubdirectory("test-console-").FullName;
        string folder = Directory.CreateDirectory(Path.Combine(root, "dev")).FullName;
        foreach (string device in new[] { "console", "tty0", "tty1", "ttyS0", "ttyAMA0" })
        {
            File.WriteAllText(Path.Combine(folder, device), "");
        }
        if (active is not null)
        {
            Directory.CreateDirectory(Path.Combine(root, "sys/class/tty/console"));
            File.WriteAllText(Path.Combine(root, "sys/class/tty/console/active"), active);
        }
        using (var console = new BoardConsole(root, () => 1.5))
        {
            console.WriteLine("two\nlines");
        }
        string[] written = [.. Directory.EnumerateFiles(folder).Where(file => new FileInfo(file).Length > 0)];
        Assert.Equal(shown.Split(' ').Order(), written.Select(file => Path.GetFileName(file)!).Order());
        Assert.All(written, file => Assert.Equal("[     1.50] netinst: two lines\r\n", File.ReadAllText(file)));
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void A_glob_of_only_stars_never_takes_long() =>
        Assert.False(Glob.Matches(string.Concat(Enumerable.Repeat("a*", 200)) + "b", new string('a', 5000)));

    [Fact]
    public void Modules_are_loaded_after_what_they_need()
    {
        var index = new ModuleIndex(
            ["kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko", "kernel/fs/ext-4.ko:",
            "nonsense"],
            ["alias virtio:d00000001v* virtio_net", "# comment", "alias fs-ext4 ext-4"]);
        Assert.Equal(["virtio_net"], index.ModulesFor("virtio:d00000001v00001AF4"));
        Assert.Empty(index.ModulesFor("pci:v1"));
        Assert.Equal(["kernel/net/core/failover.ko", "kernel/drivers/net/net_failover.ko", "kernel/drivers/net/virtio_net.ko"],
            index.FilesFor("virtio-net"));
        Assert.Equal(["kernel/fs/ext-4.ko"], index.FilesFor("ext_4"));
        Assert.Empty(index.FilesFor("built_in"));
    }

    [Fact]
    public void An_acknowledgement_gives_address_mask_router_and_lease()
    {
        byte[] packet = Answer(
            [53, 1, 5, 54, 4, 10, 0, 0, 1, 0, 1, 4, 255, 255, 0, 0, 3, 8, 10, 0, 0, 254, 9, 9, 9, 9, 51, 4, 0, 0, 14, 16, 255]);
        Assert.True(DhcpAnswer.TryParse(packet, 7, s_mac, out DhcpAnswer answer));
        Assert.Equal(new DhcpAnswer(DhcpType.Ack, IPAddress.Parse("10.0.0.7"), IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.1"),
            IPAddress.Parse("255.255.0.0"), IPAddress.Parse("10.0.0.254"), 3600), answer);
        Assert.False(DhcpAnswer.TryParse(packet, 8, s_mac, out _));
        Assert.False(DhcpAnswer.TryParse(packet, 7, new MacAddress(1), out _));
    }

    [Fact]
    public void Whatever_bytes_come_the_parser_does_not_throw() => Gen.Byte.Array[0, 80].Sample(options =>
    {
        byte[] packet = Answer(options);
        DhcpAnswer.TryParse(packet, 7, s_mac, out _);
        for (int length = 0; length < packet.Length; length += 13)
        {
            DhcpAnswer.TryParse(packet.AsSpan(0, length), 7, s_mac, out _);
        }
    });

    [Fact]
    public void A_question_without_an_address_asks_for_a_broadcast_answer()
    {
        byte[] discover = new DhcpQuestion(DhcpType.Discover, 7, s_mac, 3, null, null, null).ToBytes();
        Assert.Equal(300, discover.Length);
        Assert.Equal([0x80, 0x00], discover[10..12]);
        Assert.Equal([53, 1, 1, 55, 4, 1, 3, 51, 54, 60], discover[240..250]);
        byte[] renew = new DhcpQuestion(DhcpType.Request, 7, s_mac, 0, IPAddress.Parse("10.0.0.7"), null, null).ToBytes();
        Assert.Equal([0, 0, 10, 0, 0, 7], renew[10..16]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 8)]
    [InlineData(50, 8)]
    public void Questions_are_repeated_ever_more_slowly(int attempt, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), DhcpClient.AnswerTimeout(attempt));

    [Theory]
    [InlineData(0u, 60)]
    [InlineData(3600u, 1800)]
    [InlineData(uint.MaxValue, 86400)]
    public void A_lease_is_renewed_at_half_its_time(uint lease, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), DhcpClient.RenewAfter(lease));

    [Fact]
    public void A_static_address_has_a_prefix_and_perhaps_a_gateway()
    {
        Assert.True(StaticAddress.TryParse("10.1.2.3/20,10.1.0.1", out Lease? lease));
        Assert.Equal(("10.1.2.3", "255.255.240.0", "10.1.0.1"),
            (lease!.Address.ToString(), lease.Mask.ToString(), lease.Router!.ToString()));
        Assert.True(StaticAddress.TryParse("10.1.2.3/32", out lease));
        Assert.Equal("255.255.255.255", lease!.Mask.ToString());
    }

    [Theory]
    [InlineData("dhcp")]
    [InlineData("10.1.2.3")]
    [InlineData("10.1.2.3/0")]
    [InlineData("10.1.2.3/33")]
    [InlineData("fd00::1/64")]
    [InlineData("10.1.2.3/24,gateway")]
    [InlineData(null)]
    public void Anything_else_is_no_static_address(string? text) => Assert.False(StaticAddress.TryParse(text, out _));

    private static byte[] Answer(ReadOnlySpan<byte> options)
    {
        byte[] packet = new byte[240 + options.Length];
        packet[0] = 2;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), 7);
        IPAddress.Parse("10.0.0.7").TryWriteBytes(packet.AsSpan(16), out _);
        IPAddress.Parse("10.0.0.2").TryWriteBytes(packet.AsSpan(20), out _);
        s_mac.CopyTo(packet.AsSpan(28));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(236), 0x63825363);
        options.CopyTo(packet.AsSpan(240));
        return packet;
    }
}
