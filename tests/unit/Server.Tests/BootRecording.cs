using System.Net;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What one board did, written down as the wire would tell it; times are seconds since the first message.</summary>
internal sealed class BootRecording
{
    public static readonly MacAddress Mac = new(0xdca6320136c2);
    public static readonly IPAddress Appliance = IPAddress.Parse("10.0.0.1");

    private const long Epoch = 1_800_000_000_000;

    private readonly BootClientKind _kind;
    private readonly ClientMachineId _machine;

    private BootRecording(BootClientKind kind, ClientMachineId machine) => (_kind, _machine) = (kind, machine);

    public BootTimeline Timeline { get; } = new();

    public DhcpMode Mode { get; init; } = DhcpMode.Proxy;

    public bool ServesTftp { get; init; } = true;

    public bool IsInstalled { get; init; }

    public static BootRecording Pi4(DhcpMode mode = DhcpMode.Proxy, bool tftp = true, bool installed = false) =>
        new(BootClientKind.RaspberryPi,
            new ClientMachineId(MachineIdForm.PiEeprom, 0x01eeffc0, 0xc03114))
        { Mode = mode, ServesTftp = tftp, IsInstalled = installed };

    public static BootRecording Pi5() => new(BootClientKind.RaspberryPi, new ClientMachineId(MachineIdForm.PiEeprom, 0x01eeffc0, 0xc04170));

    public static BootRecording Pi3() => new(BootClientKind.RaspberryPi, new ClientMachineId(MachineIdForm.Pi3Rom));

    public static BootRecording Pc(DhcpMode mode = DhcpMode.Proxy) =>
        new(BootClientKind.UefiX64, new ClientMachineId(MachineIdForm.Uuid, Uuid: Guid.Empty)) { Mode = mode };

    public BootRecording Discover(
        double at, bool rom = false, string? relay = null, bool answered = true, int tried = 0, string? given = null,
        string? bootFile = null, BootClientKind? kind = null,
        bool leftAlone = false, bool lacksPool = false, int? architecture = null) =>
        Dhcp(at, new DhcpSighting(Mac, kind ?? _kind, _machine, "eth0", DhcpMessageType.Discover, answered ? DhcpMessageType.Offer : null,
            given is null ? null : IPAddress.Parse(given), bootFile)
        {
            IsPi3Rom = rom,
            IsLeftAlone = leftAlone,
            LacksPool = lacksPool,
            Architecture = architecture,
            Relay = relay is null ? null
            : IPAddress.Parse(relay),
            Server = Appliance,
            Seconds = tried
        });

    public BootRecording Request(double at, string chosen = "10.0.0.254", BootClientKind? kind = null, string? relay = null) =>
        Dhcp(at, new DhcpSighting(Mac, kind ?? _kind, _machine, "eth0", DhcpMessageType.Request, null, IPAddress.Parse("10.0.0.7"), null)
        {
            Server = Appliance,
            ChosenServer = IPAddress.Parse(chosen),
            Relay = relay is null ? null : IPAddress.Parse(relay),
        });

    /// <summary>A file by TFTP.</summary>
    public BootRecording File(
        double at, string path, TftpOutcome outcome = TftpOutcome.Completed, long bytes = 1000, long? length = null, int block = 1468,
        string? detail = null, double took = 0.1,
        FileProtocol protocol = FileProtocol.Tftp, bool leftAlone = false)
    {
        var e = new FileEvent(Time(at), protocol, path, outcome, outcome == TftpOutcome.NotFound ? 0 : bytes)
        {
            Length = outcome == TftpOutcome.NotFound ? null : length ?? bytes,
            BlockSize = protocol == FileProtocol.Tftp && outcome != TftpOutcome.NotFound ? block : 0,
            Detail = detail,
            IsLeftAlone = leftAlone,
        };
        Timeline.Fetched(Time(at + took), new BootClient(IPAddress.Parse("10.0.0.7"), Mac), e);
        return this;
    }

    public BootRecording Missing(double at, params string[] paths) =>
        paths.Aggregate(this, (recording, path) => recording.File(at, path, TftpOutcome.NotFound, took: 0));

    /// <summary>All that a Pi 4 needs.</summary>
    /// <param name="relay">Through which it asks.</param>
    public BootRecording Boot(double at, string? relay = null) =>
        Discover(at, relay: relay).Request(at + 0.1, relay: relay).File(at + 0.2, "01eeffc0/config.txt")
        .Missing(at + 0.4, "01eeffc0/pieeprom.sig", "01eeffc0/recover4.elf")
        .File(at + 0.5, "01eeffc0/start4.elf", bytes: 2_250_000).File(at + 1, "01eeffc0/bcm2711-rpi-4-b.dtb")
        .File(at + 2, "01eeffc0/kernel8.img", bytes: 10_000_000, took: 2).File(at + 4, "01eeffc0/initramfs8", bytes: 8_000_000, took: 2);

    public BootRecording Introduce(double at, NodeRole role = NodeRole.NetInst)
    {
        var inventory = SimulatedNode.InventoryOf(NodeId.Parse("1000000001eeffc0"), "arm64");
        Timeline.Introduced(Time(at), role, inventory);
        return this;
    }

    public BootRecording Linked(double at, LinkStage stage, string? detail = null)
    {
        Timeline.Linked(Time(at), NodeId.Parse("1000000001eeffc0"), stage, detail);
        return this;
    }

    /// <summary>What is explained at that moment.</summary>
    public IReadOnlyList<Finding> Explain(double at)
    {
        var conversations = Timeline.ConversationsOf(Mac);
        return BootDoctor.Explain(new BootCourse(Timeline.Boards[Mac], conversations[0], conversations.RemoveAt(0), IsInstalled,
            new ApplianceFacts(Mode, ServesTftp, [IPNetwork.Parse("10.0.0.0/24")]), Time(at)));
    }

    public static long Time(double seconds) => Epoch + (long)Math.Round(seconds * 1000);

    private BootRecording Dhcp(double at, DhcpSighting seen)
    {
        Timeline.Asked(Time(at), seen);
        return this;
    }
}
