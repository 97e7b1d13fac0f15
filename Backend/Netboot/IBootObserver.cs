using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot;

/// <summary>Learns what boot clients did. Called from many threads at once; must not block and must not throw.</summary>
public interface IBootObserver
{
    /// <summary>A client asked by DHCP, and was or was not answered.</summary>
    void Asked(DhcpSighting sighting);

    /// <summary>Bytes came that are no message of the protocol; they were dropped.</summary>
    /// <param name="protocol">"DHCP" or "TFTP".</param>
    void Malformed(string protocol);

    /// <summary>A TFTP request has ended.</summary>
    void Fetched(TftpSighting sighting);
}

/// <summary>One DHCP message of a client and what became of it.</summary>
/// <param name="Mac">The client's hardware address, by which it is known.</param>
/// <param name="Kind">What asked.</param>
/// <param name="MachineId">Option 97, decoded where possible.</param>
/// <param name="Interface">Name of the network interface that heard it.</param>
/// <param name="Asked">The client's message type.</param>
/// <param name="Answered">Our message type; null if the client was told nothing.</param>
/// <param name="Address">The address that the client has, was given, or requests of another server; null if that is not known.</param>
/// <param name="BootFile">The boot file that it was told, if any.</param>
public sealed record DhcpSighting(
    MacAddress Mac, BootClientKind Kind, ClientMachineId MachineId, string Interface,
    DhcpMessageType Asked, DhcpMessageType? Answered, IPAddress? Address, string? BootFile)
{
    /// <summary>What it says to be (<see cref="ProcessorArchitecture"/>); null if it says nothing.</summary>
    public int? Architecture { get; init; }

    /// <summary>The mask ROM of a Pi 3, which takes neither a relay nor a TFTP server on another subnet.</summary>
    public bool IsPi3Rom { get; init; }

    /// <summary>It is to boot its own disk, and was given no boot information (<see cref="IBootGate"/>).</summary>
    public bool IsLeftAlone { get; init; }

    /// <summary>The relay that passed the message on; null if it came by the client's own wire.</summary>
    public IPAddress? Relay { get; init; }

    /// <summary>No pool is meant for the subnet that it asks from.</summary>
    public bool LacksPool { get; init; }

    /// <summary>This appliance's address on the interface: how its answers name their server.</summary>
    public IPAddress? Server { get; init; }

    /// <summary>Option 54 of a REQUEST: the server whose offer the client took; null if it named none.</summary>
    public IPAddress? ChosenServer { get; init; }

    /// <summary>How long the client says that it has been trying, in whole seconds; many always say 0.</summary>
    public int Seconds { get; init; }
}

/// <summary>How a TFTP request ended.</summary>
public enum TftpOutcome
{
    /// <summary>The client has acknowledged the last block.</summary>
    Completed,

    /// <summary>No such file. Boot programs probe for many files that need not exist: normal traffic.</summary>
    NotFound,

    /// <summary>The client only wanted to know whether the file exists, and stopped after the first reply: normal traffic.</summary>
    Probed,

    /// <summary>The request was malformed or asked for what is not served.</summary>
    Refused,

    /// <summary>The client sent an error in mid-transfer.</summary>
    Aborted,

    /// <summary>The client fell silent.</summary>
    TimedOut,

    /// <summary>The file could not be read, or the network refused to send.</summary>
    Failed,
}

/// <summary>One TFTP request.</summary>
/// <param name="Client">Who asked.</param>
/// <param name="Path">The path as normalised, or as asked, made printable, if it was refused.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Bytes">Payload bytes that the receiver has acknowledged.</param>
/// <param name="Detail">The reason where it did not end well, else null.</param>
public sealed record TftpSighting(BootClient Client, string Path, TftpOutcome Outcome, long Bytes, string? Detail)
{
    /// <summary>The client sent the file.</summary>
    public bool IsUpload { get; init; }

    /// <summary>Bytes of the file that was to be sent; null where there is none.</summary>
    public long? Length { get; init; }

    /// <summary>Payload bytes of a block, as the client has agreed; 0 where nothing was sent.</summary>
    public int BlockSize { get; init; }

    /// <summary>From the request to its end.</summary>
    public TimeSpan Took { get; init; }
}
