using System.Text.Json.Nodes;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap discover --doctor</c> in networks of namespaces, among appliances that run there and answer discovery.</summary>
public sealed class DoctorNetworkTests : IDisposable
{
    /// <summary>What both networks are made of. All processes end with the first; /sys shows its own network.</summary>
    private const string Tools = """
        mount -t sysfs sysfs /sys
        echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
        echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
        machine() {
          unshare -n sleep infinity & pid=$!
          until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
          nsenter -t $pid -n ip link set lo up
        }
        up() { # PID NAME [ADDRESS]
          nsenter -t $1 -n ip link set $2 up
          [ -z "$3" ] || nsenter -t $1 -n ip address add $3 brd + dev $2
        }
        serve() { # PID FOLDER
          (exec nsenter -t $1 -n "$bootstrap" serve --data $2 --tftp off --dhcp off >$2.log 2>&1 </dev/null) & server=$!
          until grep -qs ^ready $2.log; do kill -0 $server || { cat $2.log >&2; exit 3; }; sleep 0.1; done
        }
        bootstrap=$1 near=$$
        ip link set lo up
        machine; node=$pid
        machine; switch=$pid

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("doctor-").FullName;

    [Fact]
    public async Task Every_fault_is_named_on_the_interface_that_has_it()
    {
        JsonNode[][] runs = await RunAsync("""
            for n in 0 1 2 3 6 8; do
              ip link add eth$n type veth peer name eth$n netns $node
              up $near eth$n 10.0.$n.1/24
              up $node eth$n 10.0.$n.2/24
            done
            for n in 4 5; do
              ip link add eth$n type veth peer name near$n netns $switch
              nsenter -t $node -n ip link add eth$n type veth peer name node$n netns $switch
              nsenter -t $switch -n ip link add switch$n type bridge mcast_snooping 1 mcast_querier 0
              up $switch switch$n
              for port in near$n node$n; do nsenter -t $switch -n ip link set $port master switch$n; up $switch $port; done
              up $near eth$n 10.0.$n.1/24
              up $node eth$n 10.0.$n.2/24
            done
            nft -f - <<END
            table inet filter {
              chain input {
                type filter hook input priority 0
                iifname eth1 udp dport 1337 drop
                ct state established accept
                iifname eth3 udp dport != 1337 drop
              }
              chain output {
                type filter hook output priority 0
                oifname eth2 udp dport 1337 drop
              }
            }
            END
            nsenter -t $switch -n ip link set node4 type bridge_slave mcast_flood off
            nsenter -t $switch -n ip link set near5 type bridge_slave mcast_flood off
            ip route add 10.0.6.2 dev eth0
            echo 1 >/proc/sys/net/ipv4/conf/eth6/rp_filter
            ip link add eth7 type veth peer name eth7 netns $node
            up $near eth7
            up $node eth7
            ip link set eth8 multicast off
            ip link add eth9 type veth peer name eth9 netns $node
            ip link add br1 type bridge
            ip link add port1 type veth peer name port1 netns $node
            up $node port1
            ip link set port1 master br1
            up $near port1
            up $near br1 10.0.10.1/24
            ip link set port1 type bridge_slave mcast_flood off
            serve $node first
            run
            """);
        JsonNode[] findings = runs[0];
        Assert.Equal(
        [
            "br1 fault bridge-holds-back", "eth1 fault firewall-in", "eth2 fault firewall-out", "eth3 fault firewall-answers",
                "eth4 fault multicast-not-carried",
            "eth5 fault multicast-not-received", "eth6 fault reverse-path", "eth7 fault no-address", "eth8 fault no-multicast",
                "eth9 notice interface-off", "good answers",
        ], findings.Select(f => $"{f["interface"]} {f["severity"]} {f["rule"]}".Trim()).Order(StringComparer.Ordinal));
        // How it is known, with the firewall's own lines.
        string Evidence(string rule) => (string)findings.Single(f => (string?)f["rule"] == rule)["evidence"]!;
        Assert.Contains("iifname \"eth1\" udp dport 1337 drop", Evidence("firewall-in"), StringComparison.Ordinal);
        Assert.Contains("10.0.3.2", Evidence("firewall-answers"), StringComparison.Ordinal);
        Assert.Contains("(10.0.4.2) answered to a broadcast", Evidence("multicast-not-carried"), StringComparison.Ordinal);
        Assert.Contains("(10.0.5.2) answered, and no beat", Evidence("multicast-not-received"), StringComparison.Ordinal);
        Assert.Contains("10.0.6.2", Evidence("reverse-path"), StringComparison.Ordinal);
        Assert.Contains("port1", Evidence("bridge-holds-back"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_of_an_id_two_Backends_and_a_mesh_of_nobody_are_named()
    {
        // Ports that flood nothing get what they are members for, once the bridge hears a querier: what the doctor advises helps.
        JsonNode[][] runs = await RunAsync("""
            nsenter -t $switch -n ip link add switch0 type bridge mcast_snooping 1
            up $switch switch0 10.0.0.254/24
            plug() { # PID ADDRESS
              nsenter -t $1 -n ip link add eth0 type veth peer name port$1 netns $switch
              nsenter -t $switch -n ip link set port$1 master switch0
              nsenter -t $switch -n ip link set port$1 type bridge_slave mcast_flood off
              up $switch port$1
              up $1 eth0 $2
            }
            # First the interval: a new querier is not relied on for so long.
            nsenter -t $switch -n ip link set switch0 type bridge mcast_query_interval 100 mcast_startup_query_interval 100 \
              mcast_query_response_interval 50
            nsenter -t $switch -n ip link set switch0 type bridge mcast_querier 1
            plug $near 10.0.0.1/24
            plug $node 10.0.0.2/24
            serve $node first
            until nsenter -t $switch -n bridge mdb show | grep -q "port$node grp 239.255.13.37"; do kill -0 $server; sleep 0.1; done
            run
            run --mesh nobodys
            mkdir copy
            cp -a first/. copy
            machine; copy=$pid; plug $copy 10.0.0.3/24; serve $copy copy
            machine; other=$pid; plug $other 10.0.0.4/24; serve $other other
            run
            """);
        Assert.Equal(["good answers"], runs[0].Select(f => $"{f["severity"]} {f["rule"]}"));
        JsonNode mesh = Assert.Single(runs[1]);
        Assert.Equal("other-mesh", (string?)mesh["rule"]);
        Assert.Contains("1 node of the mesh default", (string)mesh["evidence"]!, StringComparison.Ordinal);
        Assert.Equal(["answers", "same-id", "two-backends"], runs[2].Select(f => (string?)f["rule"]).Order(StringComparer.Ordinal));
        string twice = (string)runs[2].Single(f => (string?)f["rule"] == "same-id")["evidence"]!;
        Assert.True(twice.Contains("10.0.0.2", StringComparison.Ordinal) && twice.Contains("10.0.0.3", StringComparison.Ordinal)
            && twice.Contains("all are signed", StringComparison.Ordinal), twice);
        Assert.Contains("10.0.0.4 with the CA ", (string)runs[2].Single(f => (string?)f["rule"] == "two-backends")["evidence"]!,
            StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Makes a network by a script, in which each <c>run</c> asks the doctor; gives the findings of each, whose exit code was as
    /// they say.</summary>
    private async Task<JsonNode[][]> RunAsync(string script)
    {
        const string doctor = """
            runs=0
            run() {
              runs=$((runs + 1)); code=0
              "$bootstrap" discover --doctor --json "$@" >run$runs.json </dev/null || code=$?
              echo $code >run$runs.code
            }

            """;
        (int code, string output, string errors) = await CommandLine.RunToolAsync(
            ["unshare", "-nm", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec", $"cd {_folder}\n{Tools}{doctor}{script}",
                "sh", CommandLine.Program]);
        Assert.True(code == 0, output + errors);
        var runs = new List<JsonNode[]>();
        for (int n = 1; File.Exists(Path.Combine(_folder, $"run{n}.json")); n++)
        {
            JsonNode[] findings = [.. JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, $"run{n}.json")))!.AsArray()
                .Select(f => f!)];
            Assert.Equal(findings.Any(f => (string?)f["severity"] == "fault") ? "1" : "0",
                (await File.ReadAllTextAsync(Path.Combine(_folder, $"run{n}.code"))).Trim());
            runs.Add(findings);
        }
        return [.. runs];
    }
}
