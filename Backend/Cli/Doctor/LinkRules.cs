using System.Net;
using System.Net.Sockets;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Doctor;

/// <summary>
/// What goes wrong on this machine. No rule asks for a multicast route: discovery binds its sockets to the interface, and the kernel then
/// sends to groups even where a route prohibits it.
/// </summary>
internal static class LinkRules
{
    /// <summary>Discovery cannot work there. A socket without a cable matters only where no other interface works.</summary>
    public static Finding? Unusable(InterfaceFacts i, DoctorFacts facts)
    {
        string spare = facts.Interfaces.Any(other => other.State == LinkState.Usable) ? "notice" : "fault";
        return i.State switch
        {
            LinkState.Off =>
                new Finding("interface-off", spare, $"The interface {i.Name} is switched off.", "It lacks the flag UP.",
                $"Switch it on: ip link set {i.Name} up."),
            LinkState.NoCarrier =>
                new Finding("no-carrier", spare, $"The interface {i.Name} has no link.", "It is switched on and has no carrier.",
                "Plug in the cable, see that the switch's port is on; with radio, join the cell."),
            LinkState.NoAddress =>
                new Finding("no-address", "fault", $"The interface {i.Name} has no IPv4 address, and discovery does not use it.",
                "It is up, and lists no IPv4 address.",
                "See that a DHCP server answers there, or give it an address of the nodes' subnet."),
            LinkState.NoMulticast =>
                new Finding("no-multicast", "fault",
                $"Multicast is switched off on the interface {i.Name}, and discovery does not use it.", "It lacks the flag MULTICAST.",
                $"Switch it on: ip link set {i.Name} multicast on."),
            _ => null,
        };
    }

    /// <summary>Somebody else has the port for himself.</summary>
    public static Finding? PortTaken(InterfaceFacts i, DoctorFacts facts) => i.ListenError is { } error
        ? new Finding("port-taken", "fault",
            error == SocketError.AddressAlreadyInUse
                ? $"Another program of this machine has UDP port {ServicePorts.Discovery} for itself alone."
                : $"Nothing can listen on UDP port {ServicePorts.Discovery} of {i.Name}.",
            $"Opening the port was refused: {error}.",
            $"Find the program with `ss -ulpn sport = :{ServicePorts.Discovery}` and stop it, or have it share the port (SO_REUSEADDR).")
        : null;

    /// <summary>A firewall tells a sender that it dropped what he sends; a wire that loses it does not.</summary>
    public static Finding? NotSent(InterfaceFacts i, DoctorFacts facts) => i.SendError switch
    {
        null => null,
        SocketError.AccessDenied =>
            new Finding("firewall-out", "fault", $"This machine's firewall lets no questions out to UDP port {ServicePorts.Discovery}.",
            $"Sending to {DiscoveryMessage.Group} was refused: the operation is not permitted.{Lines(facts)}",
            $"Let UDP to port {ServicePorts.Discovery} out: nft add rule inet filter output udp dport {ServicePorts.Discovery} accept, " +
                "in front of what drops it."),
        { } error => new Finding("not-sent", "fault", $"Nothing can be sent on {i.Name}.",
            $"Sending to {DiscoveryMessage.Group} failed: {error}.", "See the interface's state with `ip -s link`."),
    };

    /// <summary>What a machine sends to a group comes back through its own firewall, as if it had come from outside.</summary>
    public static Finding? QuestionsStopped(InterfaceFacts i, DoctorFacts facts)
    {
        bool isStopped = i.StoppedForGroup is { Count: > 0 } && !IsReversePath(i, facts);
        return i is { State: LinkState.Usable, ListenError: null, SendError: null } && (!i.HearsItself || isStopped)
            ? new Finding("firewall-in", "fault",
                $"This machine's firewall drops what comes to UDP port {ServicePorts.Discovery} by {i.Name}.",
                (i.HearsItself
                    ? $"Datagrams from {Words.List(i.StoppedForGroup!)} were seen at the interface, in front of the firewall, and did " +
                        "not get to the socket that listens there."
                    : $"Questions to {DiscoveryMessage.Group}:{ServicePorts.Discovery} were sent, and a socket of this machine that " +
                        "listens there did not hear them.") + Lines(facts),
                $"Let UDP to port {ServicePorts.Discovery} in: nft add rule inet filter input udp dport {ServicePorts.Discovery} accept, " +
                    "in front of what drops it.")
            : null;
    }

    /// <summary>Routes by which nobody would answer the sender where he came from; his ARP is dropped as well, so that often only his
    /// multicast gets as far as the filter.</summary>
    public static Finding? ReversePath(InterfaceFacts i, DoctorFacts facts) => IsReversePath(i, facts)
        ? new Finding("reverse-path", "fault",
            $"The kernel drops what nodes send to {i.Name}, because its routes lead to them by another interface or not at all.",
            $"Datagrams from {Words.List(StoppedAnywhere(i))} were seen at the interface and never got to a socket; rp_filter is " +
                $"{i.ReversePathFilter} there, and " +
            $"{Words.Count(facts.ReversePathDrops, "datagram")} failed this filter meanwhile (IPReversePathFilter).",
            $"Give {i.Name} an address in the nodes' subnet, and no other interface one there; or switch the filter off: sysctl " +
                $"net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{i.Name}.rp_filter=0.")
        : null;

    /// <summary>Answers came to the interface and not to the program: only the kernel is between.</summary>
    public static Finding? AnswersStopped(InterfaceFacts i, DoctorFacts facts) =>
        i.Stopped is { Count: > 0 } stopped && !IsReversePath(i, facts)
        ? new Finding("firewall-answers", "fault", $"This machine's firewall drops answers that come by {i.Name}.",
            $"Answers from {Words.List(stopped)} were seen at the interface, in front of the firewall, and never got to the socket that " +
                "asked. " +
            $"They come from a node's own address: a firewall that only lets in what belongs to a connection does not know them as " +
                $"answers to a multicast.{Lines(facts)}",
            $"Let UDP from the nodes' subnet in: nft add rule inet filter input iifname {i.Name} ip saddr SUBNET udp dport 1024-65535 " +
                "accept.")
        : null;

    /// <summary>Nodes are heard, and do not answer.</summary>
    public static Finding? AnswersMissing(InterfaceFacts i, DoctorFacts facts)
    {
        HeardBeat[] beats = [.. i.Beats.Where(b => facts.Meshes.Contains(b.Mesh) && !facts.OwnAddresses.Contains(b.From))];
        return beats.Length > 0 && !i.OthersAnswers(facts.OwnAddresses).Any()
            && i is { SendError: null, Stopped: null or { Count: 0 }, StoppedForGroup: null or { Count: 0 } }
            ? new Finding("answers-missing", "fault", $"Nodes are heard on {i.Name}, and none of them answers.",
                $"{Words.Count(beats.Select(b => b.Id).Distinct().Count(), "node")} told by multicast of being there " +
                    $"({Words.List(beats.Select(b => b.From))}); no question was answered, whether by multicast, by broadcast or to them " +
                        "alone." +
                (i.Stopped is null ? " Whether answers come as far as this machine can be seen by root alone."
                    : " No answer came as far as this machine's interface."),
                i.Stopped is null
                    ? "Run this as root, to tell this machine's firewall from others; and see the firewalls of the nodes: UDP port 1337 in."
                    : "See the firewalls of the nodes (UDP port 1337 in, answers out), and switches that isolate ports from each other.")
            : null;
    }

    /// <summary>More answers than the buffer holds.</summary>
    public static Finding? NoRoom(InterfaceFacts i, DoctorFacts facts) => i.Lost > 0
        ? new Finding("no-room", "fault", $"{Words.Count(i.Lost, "answer")} on {i.Name} found no room in the receive buffer.",
            $"The kernel counts {Words.Count(i.Lost, "drop")} on the socket that asked (/proc/net/udp); its buffer has {i.Buffer} B, and " +
                $"net.core.rmem_max is {facts.BufferLimit} B.",
            facts.BufferLimit < DiscoverySocket.ReceiveBufferBytes
                ? $"Raise the limit: sysctl net.core.rmem_max={DiscoverySocket.ReceiveBufferBytes}."
                : "The limit is high enough: the machine is too busy to read its answers in time; see what else runs.")
        : null;

    private static bool IsReversePath(InterfaceFacts i, DoctorFacts facts) =>
        i is { ReversePathFilter: > 0, HearsItself: true } && facts.ReversePathDrops > 0 && StoppedAnywhere(i).Any();

    private static IEnumerable<IPAddress> StoppedAnywhere(InterfaceFacts i) => [.. i.Stopped ?? [], .. i.StoppedForGroup ?? []];

    private static string Lines(DoctorFacts facts) => facts.DroppingLines is { Count: > 0 } lines
        ? $" Its rules that drop: {string.Join("; ", lines)}."
        : "";
}
