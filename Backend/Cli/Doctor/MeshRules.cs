using System.Globalization;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Cli.Doctor;

/// <summary>What goes wrong among those who are reached.</summary>
internal static class MeshRules
{
    private static readonly TimeSpan s_clockLimit = TimeSpan.FromMinutes(2);

    /// <summary>Two machines with one id. A machine with two addresses is one process at both.</summary>
    public static IEnumerable<Finding> SameId(DoctorFacts facts) =>
        from node in facts.Answers.GroupBy(a => a.Id)
        let machines = node.GroupBy(a => a.Process ?? a.From.Address.ToString()).Select(machine => machine.First()).ToList()
        where machines.Select(a => a.From.Address).Distinct().Count() > 1
        select new Finding("same-id", "fault", $"{Words.Count(machines.Count, "machine")} answer under the one id {node.Key}.",
            $"Answers came from {Words.List(machines.Select(a => a.From.Address))} " +
                $"({string.Join(", ", machines.Select(a => a.HostName).Distinct())}), of different processes; " +
            (machines.TrueForAll(a => a.Certificate is not null) ? "all are signed." : machines.Exists(a => a.Certificate is not null)
                ? "not all are signed." : "none is signed."),
            "Most likely a card was copied together with its node's identity. Install one of the machines anew, so that it gets an id of " +
                "its own, and revoke the old id's certificate if you do not know both.");

    /// <summary>New boards enrol with the appliance that they find.</summary>
    public static IEnumerable<Finding> TwoBackends(DoctorFacts facts) =>
        from mesh in facts.Meshes
        let backends = facts.Answers.Where(a => a.Authority is not null && a.Meshes.Contains(mesh)).DistinctBy(a => (a.Id, a.Authority))
            .OrderBy(a => a.Id, StringComparer.Ordinal).ToList()
        where backends.Count > 1
        select new Finding("two-backends", "fault",
            $"{Words.Count(backends.Count, "Backend")} answer in the mesh {mesh}, and a new board may come to either.",
            string.Join("; ", backends.Select(b => $"{b.Id} at {b.From.Address} with the CA {Shortened(b.Authority!)}")) + ".",
            "Switch off the one that does not belong here, or give each a network (VLAN) of its own; nodes that are enrolled keep to " +
                "theirs.");

    /// <summary>What the appliance's clock says.</summary>
    public static IEnumerable<Finding> Clock(DoctorFacts facts) =>
        from time in facts.Times
        let ahead = time.There - time.Here
        where ahead.Duration() > s_clockLimit
        select new Finding("clock", "fault",
            $"The clocks of this machine and of {time.Appliance} differ by {Words.Span(ahead.Duration())}.",
            $"Here it was {Text(time.Here)}, at {time.Address} {Text(time.There)} (Date of its HTTP answer).",
            "Set the one that is wrong, and let both follow a time server (timedatectl set-ntp true): certificates seem expired or not " +
                "yet valid otherwise.");

    /// <summary>By this machine's clock.</summary>
    public static IEnumerable<Finding> Certificates(DoctorFacts facts)
    {
        HeardAnswer[] signed = [.. facts.Answers.Where(a => a.Certificate is not null).DistinctBy(a => a.Id)];
        HeardAnswer[] early = [.. signed.Where(a => a.Certificate!.Value.From > facts.Now)],
            late = [.. signed.Where(a => a.Certificate!.Value.Until < facts.Now)];
        if (early.Length > 0)
        {
            yield return new Finding("certificate-early", "fault",
                $"The certificates of {Words.Count(early.Length, "node")} are not valid yet by this machine's clock.",
                $"Here it is {Text(facts.Now)}; that of {early[0].Id} ({early[0].From.Address}) is valid from " +
                    $"{Text(early[0].Certificate!.Value.From)}.",
                early.Length == signed.Length
                    ? "Set this machine's clock: it is slow. (timedatectl set-ntp true)"
                    : "Other nodes' certificates are valid: see the clock of the appliance at the time when it issued these.");
        }
        if (late.Length > 0)
        {
            yield return new Finding("certificate-late", "fault",
                $"The certificates of {Words.Count(late.Length, "node")} have expired by this machine's clock.",
                $"Here it is {Text(facts.Now)}; that of {late[0].Id} ({late[0].From.Address}) was valid until " +
                    $"{Text(late[0].Certificate!.Value.Until)}.",
                "See that this machine's clock is right (timedatectl). If it is, these nodes have not reached their appliance for long: " +
                    "see their link, TCP port 8444, and their clocks.");
        }
    }

    /// <summary>Nodes do not answer for meshes that they are not in, but their beats name theirs.</summary>
    public static IEnumerable<Finding> OtherMesh(DoctorFacts facts)
    {
        HeardBeat[] beats = [.. facts.Interfaces.SelectMany(i => i.Beats)];
        string[] others = [.. beats.Select(b => b.Mesh).Except(facts.Meshes).Order(StringComparer.Ordinal)];
        if (others.Length > 0 && !facts.Answers.Any() && !beats.Any(b => facts.Meshes.Contains(b.Mesh)))
        {
            IEnumerable<string> heard = others.Select(mesh =>
                $"{Words.Count(beats.Where(b => b.Mesh == mesh).Select(b => b.Id).Distinct().Count(), "node")} of the mesh {mesh}");
            yield return new Finding("other-mesh", "fault", $"There are nodes, but none in the mesh {string.Join(", ", facts.Meshes)}.",
                $"Beats were heard of {string.Join("; ", heard)}.",
                $"Ask there: bootstrap discover {string.Join(' ', others.Select(mesh => $"--mesh {mesh}"))}.");
        }
    }

    /// <summary>The Slave or the Backend of this machine does not keep up.</summary>
    public static IEnumerable<Finding> OthersHaveNoRoom(DoctorFacts facts)
    {
        if (facts.LostByOthers > 0)
        {
            yield return new Finding("others-no-room", "warning",
                $"Programs of this machine that listen to discovery have lost {Words.Count(facts.LostByOthers, "datagram")} since they " +
                    "started.",
                $"The kernel counts them on their sockets of port 1337 (/proc/net/udp); net.core.rmem_max is {facts.BufferLimit} B.",
                facts.BufferLimit < DiscoverySocket.ReceiveBufferBytes
                    ? $"Raise the limit and start them again: sysctl net.core.rmem_max={DiscoverySocket.ReceiveBufferBytes}."
                    : "The limit is high enough: somebody floods port 1337, or the machine is too busy.");
        }
    }

    /// <summary>How many were reached; that nobody was is a fault.</summary>
    public static Finding WhoAnswers(DoctorFacts facts)
    {
        HeardAnswer[] answers = [.. facts.Answers];
        if (answers.Length > 0)
        {
            int Count(Way way) => answers.Where(a => a.Way == way).Select(a => a.Id).Distinct().Count();
            return new Finding("answers", "good",
                $"{Words.Count(answers.Select(a => a.Id).Distinct().Count(), "node")} of the mesh {string.Join(", ", facts.Meshes)} " +
                    "answered.",
                $"To multicast {Count(Way.Multicast)}, to broadcast {Count(Way.Broadcast)}, asked alone {Count(Way.Alone)}.");
        }
        string tried = $"On {string.Join(", ", facts.Interfaces.Where(i => i.State == LinkState.Usable).Select(i => i.Name))} nobody of " +
            $"the mesh {string.Join(", ", facts.Meshes)} answered to multicast, broadcast, " +
            $"or alone ({Words.Count(facts.Interfaces.Sum(i => i.AskedAlone), "neighbour")} asked), and in " +
                $"{facts.Listened.TotalSeconds:0} s no beat was heard of any mesh.";
        return facts.Nodes2015.Count > 0
            ? new Finding("only-2015", "fault", "Only programs of 2015 answer.",
                $"{Words.List(facts.Nodes2015)} answered by the protocol of 2015. {tried}",
                "List them with `bootstrap discover --2015 224.0.0.112`; to have them as nodes, install the Slave on them.")
            : facts.Interfaces.Count == 0
                ? new Finding("no-interface", "fault", "This machine has no network interface to ask on.",
                    "There are none but loopback, containers' and tunnels'.", "Name one with --interface.")
                : new Finding("nobody", "fault", "Nobody answers, and nothing is wrong on this machine.", tried,
                    "See that nodes are switched on and in this network (VLAN, subnet), and that their Slaves run: systemctl status " +
                        "bootstrap-slave. To try one of them, name its address: --address 10.0.0.7. " +
                    "Networks behind routers need a relay.");
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    // It comes from the network.
    private static string Shortened(string fingerprint) => fingerprint.Length > 16 ? fingerprint[..16] + "…" : fingerprint;
}
