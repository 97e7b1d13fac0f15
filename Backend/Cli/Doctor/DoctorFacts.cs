using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Cli.Doctor;

/// <summary>What the rules look at: what was tried on this machine's interfaces, and what came of it.</summary>
/// <param name="Meshes">Those that were asked.</param>
/// <param name="Now">By this machine's clock.</param>
/// <param name="Listened">For how long the interfaces were listened on.</param>
/// <param name="Interfaces">All physical ones, or those that were named.</param>
internal sealed record DoctorFacts(IReadOnlyList<string> Meshes, DateTimeOffset Now, TimeSpan Listened,
    IReadOnlyList<InterfaceFacts> Interfaces)
{
    /// <summary>Who answers by the protocol of 2015.</summary>
    public IReadOnlyList<IPAddress> Nodes2015 { get; init; } = [];

    /// <summary>What appliances say that the time is.</summary>
    public IReadOnlyList<ApplianceTime> Times { get; init; } = [];

    /// <summary>The lines of this machine's firewall that drop something; null: they may not be read, or there are none to read.</summary>
    public IReadOnlyList<string>? DroppingLines { get; init; }

    /// <summary>Datagrams that the kernel dropped meanwhile because their sender is not reached by the interface they came by.</summary>
    public long ReversePathDrops { get; init; }

    /// <summary>Datagrams that other programs on port 1337 of this machine have lost since they started, for want of room.</summary>
    public long LostByOthers { get; init; }

    /// <summary>net.core.rmem_max, bytes.</summary>
    public long BufferLimit { get; init; }

    /// <summary>Answers of other machines; on loopback, of all programs.</summary>
    public IEnumerable<HeardAnswer> Answers => Interfaces.SelectMany(i => i.OthersAnswers(OwnAddresses));

    /// <summary>Addresses of this machine.</summary>
    public IReadOnlyList<IPAddress> OwnAddresses =>
        [.. Interfaces.Select(i => i.Address).OfType<IPAddress>().Where(a => !IPAddress.IsLoopback(a))];
}

/// <summary>Whether discovery can work on an interface.</summary>
internal enum LinkState
{
    Usable,

    /// <summary>Not switched on.</summary>
    Off,

    /// <summary>Switched on, and no cable or no radio cell.</summary>
    NoCarrier,

    /// <summary>Without an IPv4 address.</summary>
    NoAddress,

    /// <summary>Without the flag MULTICAST.</summary>
    NoMulticast,
}

/// <summary>One interface.</summary>
/// <param name="Name">The interface's.</param>
/// <param name="State">Nothing was tried where it is not usable.</param>
/// <param name="Address">Its IPv4 address.</param>
internal sealed record InterfaceFacts(string Name, LinkState State, IPAddress? Address = null)
{
    /// <summary>Why port 1337 could not be listened on.</summary>
    public SocketError? ListenError { get; init; }

    /// <summary>Why nothing could be sent to the group.</summary>
    public SocketError? SendError { get; init; }

    /// <summary>Whether its own question came back to it, as the kernel gives it to all who listen on this machine.</summary>
    public bool HearsItself { get; init; }

    /// <summary>Machines that were asked one by one.</summary>
    public int AskedAlone { get; init; }

    public IReadOnlyList<HeardAnswer> Answers { get; init; } = [];

    public IReadOnlyList<HeardBeat> Beats { get; init; } = [];

    /// <summary>Senders of what came in by the interface for the socket that asked, and did not get to it; null: without CAP_NET_RAW nobody
    /// can see that.</summary>
    public IReadOnlyList<IPAddress>? Stopped { get; init; }

    /// <summary>Likewise for the socket that hears the group.</summary>
    public IReadOnlyList<IPAddress>? StoppedForGroup { get; init; }

    /// <summary>Who asked for members of multicast groups (RFC 3376); null: nobody was heard.</summary>
    public IPAddress? Querier { get; init; }

    /// <summary>rp_filter as it acts: 0 off, 1 strict, 2 loose.</summary>
    public int ReversePathFilter { get; init; }

    /// <summary>Answers that the socket had no room for.</summary>
    public long Lost { get; init; }

    /// <summary>Bytes of that room.</summary>
    public int Buffer { get; init; }

    /// <summary>The bridge of this machine that the interface is; null: it is none.</summary>
    public BridgeFacts? Bridge { get; init; }

    /// <summary>Answers that did not come from this machine itself; on loopback, all.</summary>
    public IEnumerable<HeardAnswer> OthersAnswers(IReadOnlyList<IPAddress> own) => Answers.Where(a => !own.Contains(a.From.Address));
}

/// <summary>How a question reached who answers it.</summary>
internal enum Way
{
    Multicast,
    Broadcast,
    Alone,
}

/// <summary>An answer.</summary>
/// <param name="Way">Of its question.</param>
/// <param name="From">Where the node is.</param>
/// <param name="Id">The node's.</param>
/// <param name="HostName">The node's.</param>
internal sealed record HeardAnswer(Way Way, IPEndPoint From, string Id, string HostName)
{
    /// <summary>Those asked that the node is in.</summary>
    public IReadOnlyList<string> Meshes { get; init; } = [];

    /// <summary>It came by a relay, from another network.</summary>
    public bool IsRelayed { get; init; }

    /// <summary>Equal for all answers of one process, whatever its addresses; null: it does not say.</summary>
    public string? Process { get; init; }

    /// <summary>From when to when the certificate holds that it is signed with; null: it is not signed.</summary>
    public (DateTimeOffset From, DateTimeOffset Until)? Certificate { get; init; }

    /// <summary>SHA-256 of the CA, where it is a Backend.</summary>
    public string? Authority { get; init; }

    /// <summary>Its plain HTTP port, where it is a Backend.</summary>
    public int? HttpPort { get; init; }
}

/// <summary>A node said by multicast that it is still there.</summary>
internal sealed record HeardBeat(string Id, string Mesh, IPAddress From);

/// <summary>What an appliance says that the time is.</summary>
/// <param name="Appliance">Its id.</param>
/// <param name="Address">Where it was asked.</param>
/// <param name="There">Its time, to the second.</param>
/// <param name="Here">The time here when it said so.</param>
internal sealed record ApplianceTime(string Appliance, IPAddress Address, DateTimeOffset There, DateTimeOffset Here);

/// <summary>How a bridge of this machine treats multicast.</summary>
/// <param name="IsSnooping">It sends a group's datagrams to the group's members alone, once it has heard a querier.</param>
/// <param name="IsQuerier">It asks for members itself.</param>
/// <param name="ClosedPorts">Those that get nothing of groups whose members are not known (mcast_flood off).</param>
internal sealed record BridgeFacts(bool IsSnooping, bool IsQuerier, IReadOnlyList<string> ClosedPorts);
