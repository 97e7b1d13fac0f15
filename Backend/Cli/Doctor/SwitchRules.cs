using System.Net;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Doctor;

/// <summary>What switches do to multicast. One that snoops on IGMP sends a group's datagrams to the group's members alone, and forgets them
/// unless a querier asks for them.</summary>
internal static class SwitchRules
{
    /// <summary>RFC 3376: a querier asks every 125 s.</summary>
    private static readonly TimeSpan s_queryPeriod = TimeSpan.FromSeconds(125);

    /// <summary>The longest pause between two beats.</summary>
    private static readonly TimeSpan s_beatPeriod = PresenceTiming.Standard.Beat * 1.2;

    private const string Querier = "Switch on the IGMP querier of one switch or router in this network (a Linux bridge: ip link set " +
        "BRIDGE type bridge mcast_querier 1), or switch IGMP snooping off on all";

    /// <summary>Linux floods what it does not know, snooping or not, but for ports that were told not to.</summary>
    public static Finding? BridgeHoldsBack(InterfaceFacts i, DoctorFacts facts) => i.Bridge is { ClosedPorts: { Count: > 0 } ports } bridge
        ? new Finding("bridge-holds-back", "fault", $"This machine's bridge {i.Name} does not pass multicast to all of its ports.",
            $"Multicast flooding is off on {string.Join(", ", ports)}; snooping is {OnOff(bridge.IsSnooping)}, its querier is " +
                $"{OnOff(bridge.IsQuerier)}.",
            string.Join(' ', ports.Select(port => $"ip link set {port} type bridge_slave mcast_flood on;"))
                + $" or, with snooping, give the network a querier: ip link set {i.Name} type bridge mcast_querier 1.")
        : null;

    /// <summary>Who answers to a broadcast, or when asked alone, and not to a multicast, did not get it.</summary>
    public static Finding? QuestionsNotCarried(InterfaceFacts i, DoctorFacts facts)
    {
        ILookup<string, HeardAnswer> nodes = i.OthersAnswers(facts.OwnAddresses).Where(a => !a.IsRelayed).ToLookup(a => a.Id);
        IGrouping<string, HeardAnswer>[] deaf = [.. nodes.Where(node => node.All(a => a.Way != Way.Multicast))];
        if (deaf.Length == 0 || i.SendError is not null)
        {
            return null;
        }
        bool isAll = deaf.Length == nodes.Count;
        string ways = string.Join(" and ",
            deaf.SelectMany(node => node).Select(a => a.Way).Distinct().Order()
            .Select(way => way == Way.Broadcast ? "a broadcast" : "questions to them alone"));
        return new Finding("multicast-not-carried", "fault",
            isAll ? $"The switch does not carry multicast from {i.Name} to the nodes."
                : $"The switch does not carry multicast from {i.Name} to some of the nodes.",
            $"{Words.Count(deaf.Length, "node")} ({Words.List(deaf.SelectMany(node => node).Select(a => a.From.Address))}) answered to " +
                $"{ways}, and not to {DiscoveryMessage.Group}; " +
            (isAll ? "nobody else did." : $"{Words.Count(nodes.Count - deaf.Length, "other")} did.") + QuerierHeard(i, facts),
            $"{Querier}; with radio, see that the access point passes multicast.");
    }

    /// <summary>Nodes beat by multicast; what does not come in was not sent to this port.</summary>
    public static Finding? BeatsNotCarried(InterfaceFacts i, DoctorFacts facts)
    {
        HeardAnswer[] beating = [.. i.OthersAnswers(facts.OwnAddresses).Where(a => !a.IsRelayed && a.Process is not null)];
        return beating.Length > 0 && i is { HearsItself: true, StoppedForGroup: null or { Count: 0 } } && facts.Listened >= s_beatPeriod
            && !i.Beats.Any(b => beating.Any(a => a.Id == b.Id))
            ? new Finding("multicast-not-received", "fault",
                $"The switch does not carry the nodes' multicast to {i.Name}: who comes and goes is not seen.",
                $"{Words.Count(beating.Select(a => a.Id).Distinct().Count(), "node")} " +
                    $"({Words.List(beating.Select(a => a.From.Address))}) answered, and no beat of theirs came in " +
                $"{facts.Listened.TotalSeconds:0} s; each beats every {PresenceTiming.Standard.Beat.TotalSeconds:0} " +
                    $"s.{QuerierHeard(i, facts)}",
                $"{Querier}; see that no firewall on the way drops {DiscoveryMessage.Group}.")
            : null;
    }

    /// <summary>It works yet, because members were heard when they joined.</summary>
    public static Finding? NoQuerier(InterfaceFacts i, DoctorFacts facts) =>
        i is { State: LinkState.Usable, Stopped: not null, Querier: null } && facts.Listened >= s_queryPeriod
            && !IPAddress.IsLoopback(i.Address!)
            ? new Finding("no-querier", "warning",
                $"There is no IGMP querier in the network of {i.Name}: if its switches snoop, multicast stops minutes after nodes have " +
                    "started.",
                $"No membership query came in {facts.Listened.TotalSeconds:0} s; a querier asks every {s_queryPeriod.TotalSeconds:0} s.",
                $"{Querier}. Without snooping nothing needs to be done.")
            : null;

    private static string QuerierHeard(InterfaceFacts i, DoctorFacts facts) =>
        i.Querier is { } querier ? $" {querier} asks for members of groups (IGMP querier)." :
        i.Stopped is null ? " Whether there is an IGMP querier can be heard by root alone." :
        facts.Listened >= s_queryPeriod ? " There is no IGMP querier." :
        " No IGMP querier was heard yet; --thorough listens long enough to be sure.";

    private static string OnOff(bool value) => value ? "on" : "off";
}
