using System.Net;
using System.Net.Sockets;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Doctor;

namespace Bootstrap.Cli.Tests;

/// <summary>What the discovery doctor makes of what was seen.</summary>
public sealed class DoctorRulesTests
{
    private const string Netstat = "TcpExt: SyncookiesSent IPReversePathFilter\nTcpExt: 1 17\nIpExt: InNoRoutes InMcastPkts\nIpExt: 3 4\n";

    private static readonly IPAddress s_own = IPAddress.Parse("10.0.0.1"), s_a = IPAddress.Parse("10.0.0.2"),
        s_b = IPAddress.Parse("10.0.0.3");

    private static readonly DateTimeOffset s_now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly InterfaceFacts s_good = new("eth0", LinkState.Usable, s_own)
    {
        HearsItself = true,
        Stopped = [],
        StoppedForGroup = [],
        Beats = [new HeardBeat("a", "default", s_a)],
        Answers = [Answer("a", s_a)]
    };

    private static readonly DoctorFacts s_facts = new(["default"], s_now, TimeSpan.FromSeconds(13), [s_good]);

    /// <summary>What was seen, and the rules that then speak.</summary>
    public static TheoryData<string, string> OfInterfaces => new()
    {
        { "in order", "answers" },
        { "off, and it is the only one", "interface-off" },
        { "no carrier, and it is the only one", "no-carrier" },
        { "off, beside one that works", "answers interface-off" },
        { "no address, beside one that works", "answers no-address" },
        { "port taken", "answers port-taken" },
        { "sending refused", "firewall-out" },
        { "sending fails", "not-sent" },
        { "own question not heard", "answers firewall-in" },
        { "others' questions stopped", "answers firewall-in" },
        { "answers stopped", "firewall-answers" },
        { "answers stopped, filter failed", "reverse-path" },
        { "beats alone", "answers-missing" },
        { "broadcast alone", "answers multicast-not-carried" },
        { "broadcast alone, by a relay", "answers" },
        { "no beats", "answers multicast-not-received" },
        { "no beats, listened for a moment", "answers" },
        { "no querier in long", "answers no-querier" },
        { "querier in long", "answers" },
        { "no querier in long, not root", "answers" },
        { "lost", "answers no-room" },
        { "own machine answers alone", "nobody" },
        { "nobody", "nobody" },
        { "only 2015", "only-2015" },
        { "other mesh", "other-mesh" },
    };

    [Theory]
    [MemberData(nameof(OfInterfaces))]
    public void What_was_seen_is_named(string seen, string rules)
    {
        InterfaceFacts bare = s_good with { Answers = [], Beats = [] };
        DoctorFacts On(InterfaceFacts i) => s_facts with { Interfaces = [i] };
        DoctorFacts facts = seen switch
        {
            "in order" => s_facts,
            "off, and it is the only one" => On(new InterfaceFacts("eth1", LinkState.Off)),
            "no carrier, and it is the only one" => On(new InterfaceFacts("eth1", LinkState.NoCarrier, s_b)),
            "off, beside one that works" => s_facts with { Interfaces = [s_good, new InterfaceFacts("eth1", LinkState.Off)] },
            "no address, beside one that works" => s_facts with { Interfaces = [s_good, new InterfaceFacts("eth1", LinkState.NoAddress)] },
            "port taken" => On(s_good with { ListenError = SocketError.AddressAlreadyInUse, HearsItself = false }),
            "sending refused" => On(bare with { SendError = SocketError.AccessDenied, HearsItself = false }),
            "sending fails" => On(bare with { SendError = SocketError.NetworkDown, HearsItself = false }),
            "own question not heard" => On(s_good with { HearsItself = false, Beats = [] }),
            "others' questions stopped" => On(s_good with { StoppedForGroup = [s_a], Beats = [] }),
            "answers stopped" => On(bare with { Stopped = [s_a], Beats = s_good.Beats }),
            "answers stopped, filter failed" => On(bare with { Stopped = [s_a], ReversePathFilter = 1 }) with { ReversePathDrops = 3 },
            "beats alone" => On(s_good with { Answers = [] }),
            "broadcast alone" => On(s_good with { Answers = [Answer("a", s_a) with { Way = Way.Broadcast }] }),
            "broadcast alone, by a relay" => On(s_good with
            {
                Answers = [Answer("a", s_a) with { Way = Way.Broadcast,
                IsRelayed = true }]
            }),
            "no beats" => On(s_good with { Beats = [] }),
            "no beats, listened for a moment" => On(s_good with { Beats = [] }) with { Listened = TimeSpan.FromSeconds(5) },
            "no querier in long" => s_facts with { Listened = Examination.Thorough },
            "querier in long" => On(s_good with { Querier = s_b }) with { Listened = Examination.Thorough },
            "no querier in long, not root" => On(s_good with
            {
                Stopped = null,
                StoppedForGroup = null
            }) with
            { Listened = Examination.Thorough },
            "lost" => On(s_good with { Lost = 7 }),
            "own machine answers alone" => On(bare with { Answers = [Answer("own", s_own)] }),
            "nobody" => On(bare),
            "only 2015" => On(bare) with { Nodes2015 = [s_a] },
            "other mesh" => On(bare with { Beats = [new HeardBeat("a", "elsewhere", s_a)] }),
            _ => throw new ArgumentException(seen),
        };
        IReadOnlyList<Finding> findings = DiscoveryDoctor.Explain(facts);
        Assert.Equal(rules, string.Join(' ', findings.Select(f => f.Rule).Order(StringComparer.Ordinal)));
        // Whole sentences, and with a fault always what to do about it.
        Assert.All(findings, f => Assert.True(f.Cause.EndsWith('.') && f.Evidence.Trim() == f.Evidence && f.Evidence.Length > 0
            && (f.Severity == "good" || f.Change is not null), $"{f}"));
    }

    [Fact]
    public void A_machine_with_two_addresses_is_one_and_two_machines_with_one_id_are_not()
    {
        Assert.Equal(["answers"], Rules(Answer("a", s_a) with { Process = "1" }, Answer("a", s_b) with { Process = "1" }));
        Assert.Equal(["answers", "same-id"], Rules(Answer("a", s_a) with { Process = "1" }, Answer("a", s_b) with { Process = "2" }));
        // Started anew meanwhile.
        Assert.Equal(["answers"], Rules(Answer("a", s_a) with { Process = "1" }, Answer("a", s_a) with { Process = "2" }));
    }

    [Fact]
    public void Two_Backends_are_a_fault_within_one_mesh_alone()
    {
        HeardAnswer one = Answer("appliance-1", s_a) with { Authority = "11" },
            other = Answer("appliance-2", s_b) with { Authority = "22" };
        Assert.Equal(["answers", "two-backends"], Rules(one, other));
        Assert.Equal(["answers"], Rules(one, other with { Meshes = ["other"] }));
        Assert.Equal(["answers"], Rules(one, one));
    }

    [Theory]
    [InlineData(-1, 1, "")]
    [InlineData(1, 2, "certificate-early")]
    [InlineData(-2, -1, "certificate-late")]
    public void Certificates_are_looked_at_by_this_machines_clock(int from, int until, string rule) =>
        Assert.Equal(rule, string.Join(' ', Rules(Answer("a", s_a) with { Certificate = (s_now.AddDays(from), s_now.AddDays(until)) })
            .Where(r => r != "answers")));

    [Theory]
    [InlineData(119, false)]
    [InlineData(-119, false)]
    [InlineData(121, true)]
    [InlineData(-7200, true)]
    public void Clocks_may_differ_by_two_minutes(int seconds, bool isFault)
    {
        IReadOnlyList<Finding> findings = DiscoveryDoctor.Explain(s_facts with
        {
            Times = [new ApplianceTime("appliance-1", s_a,
            s_now.AddSeconds(seconds), s_now)]
        });
        Assert.Equal(isFault, findings.Any(f => f.Rule == "clock"));
    }

    [Fact]
    public void The_kernels_tables_are_read()
    {
        const string udp = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref " +
            "pointer drops\n" +
            " 7: 00000000:0539 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 5\n 8: 0100000A:0539 " +
                "00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 6\n" +
            " 9: 0100000A:053A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 100\n";
        Assert.Equal((11, 100, 0), (KernelTables.Drops(udp, 1337), KernelTables.Drops(udp, 1338), KernelTables.Drops("", 1337)));
        Assert.Equal((17, 4, 0), (KernelTables.Counter(Netstat, "IPReversePathFilter"), KernelTables.Counter(Netstat, "InMcastPkts"),
            KernelTables.Counter("", "InMcastPkts")));
        const string arp = "IP address       HW type     Flags       HW address            Mask     Device\n10.0.0.2 0x1 0x2 " +
            "02:00:00:00:00:01 * eth0\n10.0.0.3 0x1 0x0 00:00:00:00:00:00 * eth0\n10.0.0.4 0x1 0x2 02:00:00:00:00:02 * eth1\n";
        Assert.Equal([s_a], KernelTables.Neighbours(arp, "eth0"));
        Assert.Equal(["type filter hook input priority filter; policy drop;", "udp dport 1337 drop"],
            KernelTables.DroppingLines("table ip t {\n\tchain i {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tudp " +
                "dport 1337 drop\n\t\taccept comment \"dropbear\"\n\t}\n}\n"));
    }

    private static HeardAnswer Answer(string id, IPAddress from) => new(Way.Multicast, new IPEndPoint(from, 40000), id,
        "host-" + id)
    { Meshes = ["default"], Process = "process-" + id };

    private static IEnumerable<string> Rules(params HeardAnswer[] answers)
    {
        DoctorFacts facts = s_facts with
        {
            Interfaces = [s_good with { Answers = answers,
            Beats = [.. answers.Select(a => new HeardBeat(a.Id, "default", a.From.Address))] }]
        };
        return DiscoveryDoctor.Explain(facts).Select(f => f.Rule).Order(StringComparer.Ordinal);
    }
}
