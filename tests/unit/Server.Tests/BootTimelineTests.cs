using System.Net;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.NetInst;

namespace Bootstrap.Server.Tests;

/// <summary>What belongs to one boot of one board.</summary>
public sealed class BootTimelineTests
{
    [Fact]
    public void Both_exchanges_of_a_Pi_3_are_one_boot()
    {
        BootRecording boot = BootRecording.Pi3().Discover(0, rom: true).File(2, "bootcode.bin").Discover(4).File(5, "01eeffc0/start.elf");
        Assert.Single(boot.Timeline.ConversationsOf(BootRecording.Mac));
        boot.Discover(9, rom: true); // somebody cut its power
        Assert.Equal(2, boot.Timeline.ConversationsOf(BootRecording.Mac).Count);
    }

    [Fact]
    public void Firmware_and_iPXE_are_one_boot()
    {
        BootRecording boot = BootRecording.Pc().Discover(0).File(1, "ipxe.efi").Discover(3, kind: BootClientKind.Ipxe);
        Assert.Single(boot.Timeline.ConversationsOf(BootRecording.Mac));
        boot.Discover(9);
        Assert.Equal(2, boot.Timeline.ConversationsOf(BootRecording.Mac).Count);
    }

    [Theory]
    [InlineData(50, 1)]
    [InlineData(70, 2)]
    public void A_discover_after_silence_begins_another_boot(double later, int boots) =>
        Assert.Equal(boots, BootRecording.Pi4().Discover(0).Discover(later).Timeline.ConversationsOf(BootRecording.Mac).Count);

    [Fact]
    public void A_discover_after_the_kernel_or_after_an_introduction_begins_another_boot()
    {
        Assert.Equal(2, BootRecording.Pi4().Boot(0).Discover(20).Timeline.ConversationsOf(BootRecording.Mac).Count);
        Assert.Equal(2, BootRecording.Pi4().Discover(0).Introduce(5).Discover(20).Timeline.ConversationsOf(BootRecording.Mac).Count);
    }

    [Fact]
    public void Strangers_that_do_not_boot_from_the_network_are_not_kept()
    {
        BootRecording phone = BootRecording.Pi4().Discover(0, kind: BootClientKind.None).Request(1, kind: BootClientKind.None);
        Assert.Empty(phone.Timeline.Boards);
        // A board's own system is no stranger while the board is booting, and is one again later.
        Assert.Equal(10,
            BootRecording.Pi4().Boot(0).Discover(12, kind: BootClientKind.None).Timeline.Newest(BootRecording.Mac)!.Events.Count);
        Assert.Equal(10,
            BootRecording.Pi4().Boot(0).Introduce(12).Discover(13, kind: BootClientKind.None)
            .Timeline.Newest(BootRecording.Mac)!.Events.Count);
    }

    [Fact]
    public void The_wire_tells_model_serial_and_address_before_anything_has_booted()
    {
        WireBoard board = BootRecording.Pi4().Discover(0, given: "10.0.0.7").Timeline.Boards[BootRecording.Mac];
        Assert.Equal(("01eeffc0", PiFamily.Pi4, "10.0.0.7", "eth0"), (board.Serial, board.Family, board.Address, board.Interface));
        Assert.Equal("Raspberry Pi 4 Model B Rev 1.4", PiRevision.Read(board.Revision!.Value)?.Name);
    }

    [Theory]
    [InlineData(0xa02082, PiFamily.Pi3, "Raspberry Pi 3 Model B Rev 1.2", "pi3")]
    [InlineData(0xa020d3, PiFamily.Pi3, "Raspberry Pi 3 Model B Plus Rev 1.3", "pi3")]
    [InlineData(0xa22042, PiFamily.Pi3, "Raspberry Pi 2 Model B Rev 1.2", "pi3")] // the processor of a Pi 3
    [InlineData(0xa01041, PiFamily.Unknown, "Raspberry Pi 2 Model B Rev 1.1", null)]
    [InlineData(0x902120, PiFamily.Pi3, "Raspberry Pi Zero 2 W Rev 1.0", "pi3")]
    [InlineData(0xc03130, PiFamily.Pi4, "Raspberry Pi 400 Rev 1.0", "pi4")]
    [InlineData(0xd04170, PiFamily.Pi5, "Raspberry Pi 5 Model B Rev 1.0", "pi5")]
    [InlineData(0x00000e, PiFamily.Unknown, null, null)] // old style: a Pi 1
    public void A_revision_code_says_the_same_to_the_doctor_and_to_boot_sets(uint revision, PiFamily family, string? name, string? set) =>
        Assert.Equal((family, name, set),
            (PiRevision.Read(revision)?.Family ?? PiFamily.Unknown, PiRevision.Read(revision)?.Name, PiModel.Of(revision)));

    [Theory]
    [InlineData("10.0.0.7", "kernel8.img")] // whom DHCP gave the address
    [InlineData("10.9.9.9", "01EEFFC0/kernel8.img")] // the serial number's folder
    [InlineData("10.9.9.9", "dc-a6-32-01-36-c2/kernel8.img")] // the MAC's folder
    public void A_request_is_matched_to_its_board_where_the_neighbour_table_is_silent(string address, string path)
    {
        BootTimeline timeline = BootRecording.Pi4().Discover(0, given: "10.0.0.7").Timeline;
        Assert.Equal(BootRecording.Mac, timeline.Fetched(BootRecording.Time(1), new BootClient(IPAddress.Parse(address), null),
            new FileEvent(BootRecording.Time(1), FileProtocol.Tftp, path, TftpOutcome.Completed, 1)));
    }

    [Fact]
    public void A_running_system_that_fetches_NetInst_is_not_booting()
    {
        BootTimeline timeline = BootRecording.Pi4().Discover(0, given: "10.0.0.7").Introduce(5, NodeRole.Slave).Timeline;
        Assert.Null(timeline.Fetched(BootRecording.Time(9), new BootClient(IPAddress.Parse("10.0.0.7"), null),
            new FileEvent(BootRecording.Time(9), FileProtocol.Http, "netinst/arm64/kernel", TftpOutcome.Completed, 1),
            onlyIfBooting: true));
    }

    [Fact]
    public void Misses_that_come_again_are_one_line()
    {
        BootRecording boot = BootRecording.Pi4().Discover(0);
        for (int i = 1; i <= 20; i++)
        {
            boot.Missing(i, "recovery.elf", "dt-blob.bin");
        }
        Conversation conversation = boot.Timeline.Newest(BootRecording.Mac)!;
        Assert.Equal(3, conversation.Events.Count);
        Assert.Equal((20, BootRecording.Time(1), BootRecording.Time(20)), conversation.Events[^1] is var e ? (e.Count, e.At, e.Until)
            : default);
    }

    [Fact]
    public void A_conversation_has_an_end_however_much_is_asked_for()
    {
        BootRecording boot = BootRecording.Pi4().Discover(0);
        for (int i = 0; i < BootTimeline.MaxEvents + 100; i++)
        {
            boot.Missing(1, $"file-{i}");
        }
        Conversation conversation = boot.Introduce(2).Timeline.Newest(BootRecording.Mac)!;
        Assert.Equal((BootTimeline.MaxEvents + 1, 101, true), (conversation.Events.Count, conversation.Dropped, conversation.IsIntroduced));
    }

    [Fact]
    public void Of_too_many_boards_those_give_way_that_never_became_nodes()
    {
        BootTimeline timeline = BootRecording.Pi4().Discover(0).Introduce(1).Timeline;
        for (uint i = 1; i <= BootTimeline.MaxBoards; i++)
        {
            timeline.Asked(BootRecording.Time(2) + i,
                new DhcpSighting(new MacAddress(i), BootClientKind.BiosPxe, default, "eth0", DhcpMessageType.Discover, null, null, null));
        }
        Assert.Equal(BootTimeline.MaxBoards, timeline.Boards.Count);
        Assert.Contains(BootRecording.Mac, timeline.Boards.Keys);
        Assert.Equal([new MacAddress(1)], timeline.Evicted);
    }
}
