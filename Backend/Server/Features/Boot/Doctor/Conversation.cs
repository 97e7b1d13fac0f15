using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>What a board did on its way from the first DHCP message to its introduction. Times are Unix milliseconds.</summary>
/// <param name="Mac">The board.</param>
/// <param name="StartedAt">Of the first message; with the board, the conversation's key.</param>
/// <param name="Events">In the order in which they ended; at most <see cref="BootTimeline.MaxEvents"/> and a few of the link.</param>
public sealed record Conversation(MacAddress Mac, long StartedAt, ImmutableList<BootEvent> Events)
{
    /// <summary>Events beyond the most that are kept.</summary>
    public int Dropped { get; init; }

    /// <summary>When the board was last heard of.</summary>
    [JsonIgnore]
    public long LastAt => Events.IsEmpty ? StartedAt : Events[^1].Until;

    /// <summary>NetInst or the installed system has introduced itself: this boot is over.</summary>
    [JsonIgnore]
    public bool IsIntroduced => Events.Any(e => e is LinkEvent { Stage: LinkStage.NetInst or LinkStage.Slave });
}

/// <summary>One line of a conversation. The same thing that comes again is the same line, with a count.</summary>
/// <param name="At">When it began.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(DhcpEvent), "dhcp")]
[JsonDerivedType(typeof(FileEvent), "file")]
[JsonDerivedType(typeof(LinkEvent), "link")]
public abstract record BootEvent(long At)
{
    /// <summary>When it ended; where it came more than once, for the last time.</summary>
    public long Until { get; init; } = At;

    public int Count { get; init; } = 1;

    /// <summary>This and a later event of the same content, or null if they differ in more than their times.</summary>
    public BootEvent? Fold(BootEvent later) =>
        this with { At = later.At, Until = later.Until, Count = later.Count } == later
            ? this with { Until = later.Until, Count = Count + later.Count }
            : null;
}

/// <summary>A DHCP message of the board and our answer.</summary>
/// <param name="Client">What asked; None is a system that runs.</param>
/// <param name="Answered">Null: it was told nothing.</param>
public sealed record DhcpEvent(long At, BootClientKind Client, DhcpMessageType Asked, DhcpMessageType? Answered) : BootEvent(At)
{
    public bool IsPi3Rom { get; init; }

    /// <summary>What it said to be (<see cref="ProcessorArchitecture"/>); null: nothing.</summary>
    public int? Architecture { get; init; }

    /// <summary>It is to boot its own disk, and was told nothing of a boot server.</summary>
    public bool IsLeftAlone { get; init; }

    /// <summary>No pool is meant for the subnet that it asks from.</summary>
    public bool LacksPool { get; init; }

    public string? Interface { get; init; }
    public string? Address { get; init; }

    /// <summary>This appliance's address on that interface.</summary>
    public string? Server { get; init; }

    /// <summary>The server whose offer the board took.</summary>
    public string? ChosenServer { get; init; }

    public string? Relay { get; init; }
    public string? BootFile { get; init; }

    /// <summary>How long the board says that it has been trying.</summary>
    public int Seconds { get; init; }
}

public enum FileProtocol
{
    Tftp,
    Http,
}

/// <summary>A file that the board asked for.</summary>
/// <param name="Bytes">What it took of it.</param>
public sealed record FileEvent(long At, FileProtocol Protocol, string Path, TftpOutcome Outcome, long Bytes) : BootEvent(At)
{
    /// <summary>Bytes of the whole file; null where there is none.</summary>
    public long? Length { get; init; }

    /// <summary>TFTP: payload bytes of a block; 0 where nothing was sent.</summary>
    public int BlockSize { get; init; }

    /// <summary>Why it did not end well.</summary>
    public string? Detail { get; init; }

    /// <summary>It is iPXE's script that tells the board to boot its own disk.</summary>
    public bool IsLeftAlone { get; init; }

    /// <summary>The name without folders.</summary>
    [JsonIgnore]
    public string Leaf => Path[(Path.LastIndexOf('/') + 1)..];
}

/// <summary>What a program on the board, once started, did on the link.</summary>
public sealed record LinkEvent(long At, LinkStage Stage) : BootEvent(At)
{
    public string? Detail { get; init; }
}

public enum LinkStage
{
    /// <summary>NetInst has introduced itself.</summary>
    NetInst,

    /// <summary>NetInst was told that nothing is assigned.</summary>
    Waiting,

    /// <summary>NetInst was told to install.</summary>
    Installing,

    /// <summary>The installed system has introduced itself.</summary>
    Slave,

    /// <summary>The connection has ended.</summary>
    Left,
}
