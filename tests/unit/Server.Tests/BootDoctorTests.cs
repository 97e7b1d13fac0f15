using Bootstrap.Netboot;
using Bootstrap.Server.Features.Boot.Doctor;

namespace Bootstrap.Server.Tests;

/// <summary>Each rule with a conversation that it speaks of, and with one that is almost the same, of which it is silent.</summary>
public sealed class BootDoctorTests
{
    private sealed record Case(string Rule, Func<IReadOnlyList<Finding>> Met, Func<IReadOnlyList<Finding>> NearMiss);

    private static readonly Dictionary<string, Case> s_cases = new()
    {
        ["another server was chosen in full mode"] = new("rival-server",
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0).Request(1, "192.168.1.1").Explain(40),
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0).Request(1, "10.0.0.1").Explain(40)),
        ["another server gives addresses in proxy mode, as it should"] = new("rival-server",
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0).Request(1).Explain(40),
            () => BootRecording.Pi4(DhcpMode.Proxy).Discover(0).Request(1).Explain(40)),
        ["the pool is used up"] = new("no-address-left",
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false).Discover(4, answered: false).Explain(5),
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false).Discover(4).Explain(5)),
        ["a PC of 32 bits asks a proxy"] = new("unserved-architecture",
            () => BootRecording.Pc().Discover(0, kind: BootClientKind.Unserved, architecture: 6, answered: false).Explain(60),
            () => BootRecording.Pc().Discover(0, kind: BootClientKind.UefiX64, architecture: 7).Explain(60)),
        ["a board of an architecture that nothing is here for gets an address"] = new("unserved-architecture",
            () => BootRecording.Pc(DhcpMode.Full).Discover(0, kind: BootClientKind.Unserved, architecture: 27).Explain(60),
            () => BootRecording.Pc(DhcpMode.Full).Discover(0, kind: BootClientKind.Unserved, architecture: 27)
                .Discover(20, kind: BootClientKind.UefiX64, architecture: 7).Explain(60)),
        ["a PXE client that does not say what it is"] = new("unserved-architecture",
            () => BootRecording.Pc().Discover(0, kind: BootClientKind.Unserved, answered: false).Explain(5),
            () => BootRecording.Pc().Discover(0, kind: BootClientKind.Unserved, answered: false).File(1, "grub.cfg").Explain(5)),
        ["an installed board asks the network first, and gets an address from nobody"] = new("left-alone",
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false, leftAlone: true)
                .Discover(4, answered: false, leftAlone: true).Explain(60),
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false).Discover(4, answered: false).Explain(60)),
        ["an installed board asks the network first, and gets an address"] = new("left-alone",
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, leftAlone: true).Explain(60),
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, leftAlone: true).Discover(92).Explain(130)),
        ["an installed PC is told by its iPXE script to boot its disk"] = new("left-alone",
            () => BootRecording.Pc().Discover(0).File(1, "snponly.efi").Discover(3, kind: BootClientKind.Ipxe)
                .File(4, "boot/ipxe", protocol: FileProtocol.Http, leftAlone: true).Explain(60),
            () => BootRecording.Pc().Discover(0).File(1, "snponly.efi").Discover(3, kind: BootClientKind.Ipxe)
                .File(4, "boot/ipxe", protocol: FileProtocol.Http).Explain(60)),
        ["there is no pool for the relay's subnet"] = new("no-pool",
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false, lacksPool: true, relay: "10.1.0.1").Explain(5),
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false, relay: "10.1.0.1").Explain(5)),
        ["there is no pool for the wire"] = new("no-pool",
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false, lacksPool: true).Explain(5),
            () => BootRecording.Pi4(DhcpMode.Full).Discover(0, answered: false).Explain(5)),
        ["a Pi 3's ROM comes through a relay"] = new("pi3-other-subnet",
            () => BootRecording.Pi3().Discover(0, rom: true, relay: "10.1.0.1").Explain(5),
            () => BootRecording.Pi4().Discover(0, relay: "10.1.0.1").Explain(5)),
        ["a Pi 3's ROM has an address of another subnet"] = new("pi3-other-subnet",
            () => BootRecording.Pi3().Discover(0, rom: true, given: "10.1.0.9").Explain(5),
            () => BootRecording.Pi3().Discover(0, rom: true, given: "10.0.0.9").Explain(5)),
        ["proxy mode and no DHCP server"] = new("no-address",
            () => BootRecording.Pi4().Discover(0).Discover(4).Discover(8).Discover(32).Explain(33),
            () => BootRecording.Pi4().Discover(0).Discover(4).Discover(8).Request(9).Explain(33)),
        ["proxy mode and no DHCP server yet"] = new("no-address",
            () => BootRecording.Pi4().Discover(0).Discover(4).Explain(31),
            () => BootRecording.Pi4().Discover(0).Discover(4).Explain(12)),
        ["an address and no request for a file"] = new("no-file-request",
            () => BootRecording.Pi4().Discover(0).Request(1).Explain(40),
            () => BootRecording.Pi4().Discover(0).Request(1).Missing(2, "01eeffc0/config.txt").Explain(40)),
        ["a Pi 3 that never asks for a file"] = new("no-file-request",
            () => BootRecording.Pi3().Discover(0, rom: true).Discover(5, rom: true).Explain(31),
            () => BootRecording.Pi3().Discover(0, rom: true).Discover(5, rom: true).Explain(10)),
        ["TFTP is not served"] = new("tftp-off",
            () => BootRecording.Pi4(tftp: false).Discover(0).Request(1).Explain(40),
            () => BootRecording.Pi4().Discover(0).Request(1).Explain(40)),
        ["the switch's port was blocked"] = new("spanning-tree",
            () => BootRecording.Pi4().Discover(0).Discover(4).Discover(8).Discover(28).Request(31).Boot(32).Explain(33),
            () => BootRecording.Pi4().Discover(0).Discover(4).Discover(8).Request(9).Boot(10).Explain(11)),
        ["the board says that it has long been trying"] = new("spanning-tree",
            () => BootRecording.Pi4().Discover(0, tried: 32).Request(0.1).File(1, "config.txt").Explain(2),
            () => BootRecording.Pi4().Discover(0, tried: 3).Request(0.1).File(1, "config.txt").Explain(2)),
        ["a Pi 4 without start4.elf"] = new("missing-file",
            () => BootRecording.Pi4().Discover(0).File(1, "config.txt")
                .Missing(2, "01eeffc0/start4.elf", "01eeffc0/start.elf", "start4.elf", "start.elf").Explain(20),
            () => BootRecording.Pi4().Discover(0).File(1, "config.txt").Missing(2, "01eeffc0/start4.elf", "01eeffc0/start.elf")
                .File(3, "start4.elf").Explain(20)),
        ["a Pi 3 without bootcode.bin"] = new("missing-file",
            () => BootRecording.Pi3().Discover(0, rom: true).Missing(1, "bootcode.bin").Explain(20),
            () => BootRecording.Pi3().Discover(0, rom: true).File(1, "bootcode.bin").Missing(2, "bootsig.bin").Explain(20)),
        ["a Pi 5 that NetInst's own kernel does not know"] = new("needs-boot-set",
            () => BootRecording.Pi5().Discover(0).File(1, "01eeffc0/config.txt")
                .Missing(2, "01eeffc0/bcm2712-rpi-5-b.dtb", "bcm2712-rpi-5-b.dtb").Explain(20),
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf").Missing(2, "01eeffc0/bcm2711-rpi-4-b.dtb").Explain(20)),
        ["a Pi 5 needs no start.elf"] = new("needs-boot-set",
            () => BootRecording.Pi5().Discover(0).File(1, "01eeffc0/config.txt")
                .Missing(2, "01eeffc0/kernel_2712.img", "01eeffc0/kernel8.img").Explain(20),
            () => BootRecording.Pi5().Discover(0).File(1, "01eeffc0/config.txt").Missing(2, "01eeffc0/start.elf", "01eeffc0/start4.elf")
                .Explain(20)),
        ["a board without its device tree"] = new("missing-file",
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf").Missing(2, "01eeffc0/bcm2711-rpi-cm4.dtb", "bcm2711-rpi-cm4.dtb")
                .Explain(20),
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf").Missing(2, "01eeffc0/bcm2711-rpi-4-b.dtb")
                .File(3, "bcm2711-rpi-4-b.dtb").Explain(20)),
        ["misses that are normal probes"] = new("missing-file",
            () => BootRecording.Pi4().Discover(0).Missing(1, "start4.elf").Explain(20),
            () => BootRecording.Pi4().Discover(0)
                .Missing(1, "recovery.elf", "dt-blob.bin", "bootcfg.txt", "vl805.sig", "pieeprom.upd", "autoboot.txt").Explain(20)),
        ["a PC whose boot file is not there"] = new("missing-file",
            () => BootRecording.Pc().Discover(0, bootFile: "ipxe.efi").Missing(1, "ipxe.efi").Explain(20),
            () => BootRecording.Pc().Discover(0, bootFile: "ipxe.efi").File(1, "ipxe.efi").Missing(2, "grub.cfg").Explain(20)),
        ["a transfer that stopped in the middle"] = new("abandoned-transfer",
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf", TftpOutcome.TimedOut, bytes: 14_680, length: 2_250_000).Explain(20),
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf", TftpOutcome.TimedOut, bytes: 14_680, length: 2_250_000)
                .File(3, "start4.elf", bytes: 2_250_000).Explain(20)),
        ["a transfer that was repeated"] = new("retried-transfers",
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf", TftpOutcome.Aborted, bytes: 14_680, length: 2_250_000)
                .File(3, "start4.elf").Explain(4),
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf", TftpOutcome.Probed, bytes: 0, length: 2_250_000)
                .File(3, "start4.elf").Explain(4)),
        ["40 MB in blocks of 512 bytes"] = new("file-too-large",
            () => BootRecording.Pi3().Discover(0, rom: true)
                .File(1, "kernel8.img", TftpOutcome.TimedOut, bytes: 33_553_920, length: 40_000_000, block: 512).Explain(60),
            () => BootRecording.Pi3().Discover(0, rom: true)
                .File(1, "kernel8.img", TftpOutcome.TimedOut, bytes: 33_000_000, length: 33_100_000, block: 512).Explain(60)),
        ["70 MB in blocks of 1,024 bytes"] = new("file-too-large",
            () => BootRecording.Pi4().Discover(0)
                .File(1, "kernel8.img", TftpOutcome.Aborted, bytes: 67_107_840, length: 70_000_000, block: 1024).Explain(60),
            () => BootRecording.Pi4().Discover(0)
                .File(1, "kernel8.img", TftpOutcome.Aborted, bytes: 67_107_840, length: 70_000_000, block: 1468).Explain(60)),
        ["100 MB in blocks of 1,468 bytes"] = new("file-too-large",
            () => BootRecording.Pi4().Discover(0).File(1, "boot.img", TftpOutcome.TimedOut, bytes: 96_205_380, length: 100_000_000)
                .Explain(60),
            () => BootRecording.Pi4().Discover(0).File(1, "boot.img", bytes: 100_000_000).Explain(60)), // an EEPROM of 2025-09-23 counts on
        ["a file that cannot be read"] = new("unreadable-file",
            () => BootRecording.Pi4().Discover(0)
                .File(1, "start4.elf", TftpOutcome.Failed, detail: "reading start4.elf: input/output error").Explain(2),
            () => BootRecording.Pi4().Discover(0).File(1, "start4.elf", TftpOutcome.Failed, detail: "network is down").File(3, "start4.elf")
                .Explain(4)),
        ["a request that makes no sense"] = new("refused-request",
            () => BootRecording.Pi4().Discover(0).File(1, "../etc/passwd", TftpOutcome.Refused, detail: "this path is not allowed")
                .Explain(2),
            () => BootRecording.Pi4().Discover(0).Missing(1, "etc/passwd").Explain(2)),
        ["silence after config.txt"] = new("stopped",
            () => BootRecording.Pi4().Discover(0).File(1, "config.txt").Explain(50),
            () => BootRecording.Pi4().Discover(0).File(1, "config.txt").Explain(30)),
        ["silence after iPXE's script, which says to boot the disk"] = new("stopped",
            () => BootRecording.Pc().Discover(0).File(1, "snponly.efi").File(4, "boot/ipxe", protocol: FileProtocol.Http).Explain(60),
            () => BootRecording.Pc().Discover(0).File(1, "snponly.efi").File(4, "boot/ipxe", protocol: FileProtocol.Http, leftAlone: true)
                .Explain(60)),
        ["silence after the kernel"] = new("kernel-silent",
            () => BootRecording.Pi4().Boot(0).Explain(190),
            () => BootRecording.Pi4().Boot(0).Explain(60)),
        ["silence after the kernel, but it has come"] = new("kernel-silent",
            () => BootRecording.Pi4().Boot(0).Explain(190),
            () => BootRecording.Pi4().Boot(0).Introduce(13).Explain(190)),
        ["NetInst has a network and does not find the appliance"] = new("netinst-not-introduced",
            () => BootRecording.Pi4().Boot(0).Discover(12, kind: BootClientKind.None).Request(13, kind: BootClientKind.None).Explain(200),
            () => BootRecording.Pi4().Boot(0).Explain(200)),
        ["the kernel panics and panics"] = new("kernel-restarts",
            () => BootRecording.Pi4().Boot(0).Boot(45).Boot(90).Explain(97),
            () => BootRecording.Pi4().Boot(0).Boot(45).Explain(52)),
        ["NetInst waits for a person"] = new("waits",
            () => BootRecording.Pi4().Boot(0).Introduce(13).Linked(13, LinkStage.Waiting, "waiting for a person to assign an image")
                .Explain(20),
            () => BootRecording.Pi4().Boot(0).Introduce(13).Linked(13, LinkStage.Waiting).Linked(15, LinkStage.Installing).Explain(20)),
        ["an installed board netboots again and again"] = new("boots-again-and-again",
            () => BootRecording.Pi4(installed: true).Boot(0).Introduce(13).Boot(100).Introduce(113).Boot(200).Introduce(213).Explain(220),
            () => BootRecording.Pi4(installed: true).Boot(0).Introduce(13).Boot(100).Introduce(113).Linked(114, LinkStage.Installing)
                .Boot(200).Introduce(213).Explain(220)),
        ["a board without a system netboots again and again"] = new("boots-again-and-again",
            () => BootRecording.Pi4(installed: true).Boot(0).Introduce(13).Boot(100).Introduce(113).Boot(200).Introduce(213).Explain(220),
            () => BootRecording.Pi4().Boot(0).Introduce(13).Boot(100).Introduce(113).Boot(200).Introduce(213).Explain(220)),
        ["it has booted"] = new("booted",
            () => BootRecording.Pi4().Boot(0).Introduce(13).Explain(20),
            () => BootRecording.Pi4().Boot(0).Explain(12)),
        ["it is on its way"] = new("under-way",
            () => BootRecording.Pi4().Boot(0).Explain(12),
            () => BootRecording.Pi4().Boot(0).Introduce(13).Explain(14)),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_rule_speaks_of_its_conversation_and_not_of_one_that_is_almost_the_same(string what)
    {
        Case rule = s_cases[what];
        Assert.Contains(rule.Rule, rule.Met().Select(f => f.Rule));
        Assert.DoesNotContain(rule.Rule, rule.NearMiss().Select(f => f.Rule));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_finding_is_in_whole_sentences_and_every_fault_says_what_to_change(string what)
    {
        foreach (Finding finding in (Finding[])[.. s_cases[what].Met(), .. s_cases[what].NearMiss()])
        {
            Assert.All([finding.Cause, finding.Evidence, finding.Change ?? "."],
                sentence => Assert.EndsWith(".", sentence, StringComparison.Ordinal));
            Assert.True(finding.Severity != FindingSeverity.Fault || finding.Change is not null);
        }
    }

    [Theory]
    [InlineData(DhcpMode.Proxy, 6, false, "The board asks as 32-bit x86 UEFI, and there is nothing here for it.")]
    [InlineData(DhcpMode.Full, 18, true, "The board asks as 32-bit Arm UEFI, HTTP boot, and there is nothing here for it.")]
    [InlineData(DhcpMode.Full, null, false, "The board asks as a PXE client of no architecture, and there is nothing here for it.")]
    [InlineData(DhcpMode.Proxy, 900, false, "The board asks as architecture 900, and there is nothing here for it.")]
    public void A_board_that_asks_as_what_is_not_served_is_told_that_and_nothing_else(DhcpMode mode, int? architecture, bool answered,
        string cause)
    {
        Finding only = BootRecording.Pc(mode).Discover(0, kind: BootClientKind.Unserved, architecture: architecture, answered: answered)
            .Discover(40, kind: BootClientKind.Unserved, architecture: architecture, answered: answered).Explain(60).Single();
        Assert.Equal((FindingSeverity.Fault, cause), (only.Severity, only.Cause));
    }

    [Theory]
    [InlineData("10.1.0.1", "(the board asks through the relay 10.1.0.1)", "VLAN")]
    [InlineData(null, "board and appliance are in one VLAN", "relay")]
    public void A_board_that_asks_for_no_file_is_told_of_its_own_way_to_the_appliance(string? relay, string said, string unsaid)
    {
        Finding fault = BootRecording.Pi4().Discover(0, relay: relay).Request(1, relay: relay).Explain(40).Single();
        Assert.Equal("no-file-request", fault.Rule);
        Assert.Contains(said, fault.Change, StringComparison.Ordinal);
        Assert.DoesNotContain(unsaid, fault.Change, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.1.0.1", "the relay 10.1.0.1 passes the board's messages to this appliance alone", "this network")]
    [InlineData(null, "Switch off the DHCP server at 192.168.1.1 on this network", "relay")]
    public void A_board_that_chose_another_server_is_told_where_that_one_is(string? relay, string said, string unsaid)
    {
        Finding fault = BootRecording.Pi4(DhcpMode.Full).Discover(0, relay: relay).Request(1, "192.168.1.1", relay: relay).Explain(40)
            .Single();
        Assert.Equal("rival-server", fault.Rule);
        Assert.Contains(said, fault.Change, StringComparison.Ordinal);
        Assert.DoesNotContain(unsaid, fault.Change, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.1.0.1", "see that the relay 10.1.0.1 passes the board's messages on to that server too", "this network")]
    [InlineData(null, "see that one answers on this network", "relay")]
    public void A_board_that_gets_no_address_is_told_where_one_must_come_from(string? relay, string said, string unsaid)
    {
        Finding fault = BootRecording.Pi4().Discover(0, relay: relay).Discover(4, relay: relay).Discover(32, relay: relay).Explain(33)
            .Single();
        Assert.Equal("no-address", fault.Rule);
        Assert.Contains(said, fault.Change, StringComparison.Ordinal);
        Assert.DoesNotContain(unsaid, fault.Change, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.1.0.1", "make a node of the board's network a relay", "239.255.13.37")]
    [InlineData(null, "multicast 239.255.13.37", "docs/relays.md")]
    public void NetInst_that_does_not_find_the_appliance_is_told_what_has_to_let_it_through(string? relay, string said, string unsaid)
    {
        Finding fault = BootRecording.Pi4().Boot(0, relay).Discover(12, kind: BootClientKind.None, relay: relay)
            .Request(13, kind: BootClientKind.None, relay: relay).Explain(200).Single();
        Assert.Equal("netinst-not-introduced", fault.Rule);
        Assert.Contains(said, fault.Change, StringComparison.Ordinal);
        Assert.DoesNotContain(unsaid, fault.Change, StringComparison.Ordinal);
    }

    [Fact]
    public void A_boot_that_went_well_says_what_it_took()
    {
        Finding booted = BootRecording.Pi4().Boot(0).Introduce(13).Explain(20).Single();
        Assert.Equal((FindingSeverity.Good, "The board came to NetInst in 13 s."), (booted.Severity, booted.Cause));
        Assert.Equal("DHCP 0.2 s, 5 files with 20.3 MB in 5.8 s, kernel to NetInst 7.0 s.", booted.Evidence);
    }

    [Fact]
    public void A_fault_of_a_board_that_came_through_is_no_fault()
    {
        IReadOnlyList<Finding> findings = BootRecording.Pi4().Discover(0).Missing(1, "start4.elf").Introduce(30).Explain(60);
        Assert.DoesNotContain(FindingSeverity.Fault, findings.Select(f => f.Severity));
    }

    [Fact]
    public void An_abandoned_transfer_names_block_and_file()
    {
        Finding fault = BootRecording.Pi4().Discover(0)
            .File(1, "01eeffc0/start4.elf", TftpOutcome.TimedOut, bytes: 14_680, length: 2_250_000).Explain(20)[0];
        Assert.Equal("abandoned-transfer", fault.Rule);
        Assert.Contains("01eeffc0/start4.elf", fault.Cause);
        Assert.Contains("block 10 of 1,533", fault.Evidence);
    }

    [Fact]
    public void The_worst_comes_first()
    {
        IReadOnlyList<Finding> findings = BootRecording.Pi4(installed: true).Boot(0).Introduce(13).Boot(100).Introduce(113).Boot(200)
            .Introduce(213).Explain(220);
        Assert.Equal(findings.OrderByDescending(f => f.Severity), findings);
        Assert.Equal("boots-again-and-again", findings[0].Rule);
    }
}
