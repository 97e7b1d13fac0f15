using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>A board as the wire knows it. Times are Unix milliseconds.</summary>
/// <param name="Mac">By which it is known.</param>
/// <param name="FirstSeen">When its first message came.</param>
public sealed record WireBoard(MacAddress Mac, long FirstSeen)
{
    public long LastSeen { get; init; }

    /// <summary>What asked last; None for a board that was never heard by DHCP.</summary>
    public BootClientKind Kind { get; init; }

    /// <summary>What that says to be (<see cref="ProcessorArchitecture"/>); null: nothing.</summary>
    public int? Architecture { get; init; }

    public PiFamily Family { get; init; }

    /// <summary>A Pi's: low 32 bits in hex, as the folder that it asks for.</summary>
    public string? Serial { get; init; }

    /// <summary>A Pi's revision code; null where it is not told.</summary>
    public uint? Revision { get; init; }

    /// <summary>A PC's.</summary>
    public Guid? Uuid { get; init; }

    public string? Interface { get; init; }
    public string? Address { get; init; }

    /// <summary>What it asked for last.</summary>
    public string? AsksFor { get; init; }

    /// <summary>The node that it turned out to be.</summary>
    public NodeId? Node { get; init; }

    /// <summary>This board with what a DHCP message tells of it; what the message does not tell stays.</summary>
    internal WireBoard With(DhcpSighting seen) => this with
    {
        Kind = seen.Kind == BootClientKind.None ? Kind : seen.Kind,
        Architecture = seen.Kind == BootClientKind.None ? Architecture : seen.Architecture,
        Family = FamilyOf(seen) is var family && family != PiFamily.Unknown ? family : Family,
        Serial = seen.MachineId.Serial is { } serial ? serial.ToString("x8", System.Globalization.CultureInfo.InvariantCulture) : Serial,
        Revision = seen.MachineId.Revision ?? Revision,
        Uuid = seen.MachineId.Uuid ?? Uuid,
        Interface = seen.Interface,
        Address = seen.Address?.ToString() ?? Address,
    };

    /// <summary>This board with what a file name tells of it.</summary>
    internal WireBoard With(FileEvent file) => this with
    {
        AsksFor = file.Path,
        Serial = Serial ?? BoardFolder.SerialOf(file.Path),
        Family = Family != PiFamily.Unknown ? Family : file.Leaf switch
        {
            "bootcode.bin" => PiFamily.Pi3,
            "start4.elf" => PiFamily.Pi4,
            _ => PiFamily.Unknown,
        },
    };

    private static PiFamily FamilyOf(DhcpSighting seen) =>
        seen.IsPi3Rom || seen.MachineId.Form == MachineIdForm.Pi3Rom ? PiFamily.Pi3 :
        (seen.MachineId.Revision is { } revision ? PiRevision.Read(revision)?.Family : null) ?? PiFamily.Unknown;
}
