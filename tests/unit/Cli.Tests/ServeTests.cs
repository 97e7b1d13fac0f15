namespace Bootstrap.Cli.Tests;

public sealed class ServeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("test-serve-").FullName;

    [Theory]
    [InlineData("netinst/arm64/kernel")]
    [InlineData("netinst/arm64/init.cpio.zst")]
    [InlineData("slave/arm64/bootstrap-slave.zst")]
    public async Task A_link_to_nothing_in_the_share_folder_is_told_in_one_sentence(string dangling)
    {
        // The program looks for its share folder beside itself: it gets a place of its own.
        string program = Path.Combine(_folder, "program");
        await CommandLine.ToolAsync("cp", "-r", AppContext.BaseDirectory, program);
        string share = Path.Combine(program, "share");
        foreach (string name in new[] { "netinst/arm64/kernel", "netinst/arm64/modules.cpio.zst", "netinst/arm64/init.cpio.zst" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(share, name))!);
            await File.WriteAllBytesAsync(Path.Combine(share, name), [1, 2, 3, 4], TestContext.Current.CancellationToken);
        }
        string link = Path.Combine(share, dangling);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.Delete(link);
        File.CreateSymbolicLink(link, "/nowhere/at-all");

        (int code, string output, string errors) = await CommandLine.RunToolAsync(
            [Path.Combine(program, "bootstrap"), "serve", "--data", Path.Combine(_folder, "data"), "--dhcp", "off", "--tftp", "off"]);
        Assert.Equal((1, ""), (code, output));
        Assert.Equal($"bootstrap: {link} is a link to /nowhere/at-all, which does not exist: make that file, or remove the link to do " +
            "without it.", errors);
    }

    [Fact]
    public async Task An_appliance_with_all_its_services_that_is_asked_to_stop_ends_with_0_and_prints_nothing()
    {
        // In a network of its own, which has an interface for DHCP.
        string data = Path.Combine(_folder, "data"), errorsFile = Path.Combine(_folder, "errors");
        string script = $"""
            ip link set lo up; ip link add eth0 type veth peer name eth1
            ip address add 10.9.0.1/24 dev eth0; ip link set eth0 up; ip link set eth1 up
            "$0" serve --data {data} --interface eth0 --dhcp full --tftp 0.0.0.0:69 >{_folder}/output 2>{errorsFile} & serving=$!
            until grep -qs ^ready {_folder}/output; do kill -0 $serving; sleep 0.1; done
            : >{errorsFile}; kill -TERM $serving; wait $serving
            """;
        (int code, _, string errors) = await CommandLine.RunToolAsync(["unshare", "--net", "bash", "-ec", script, CommandLine.Program]);
        Assert.Equal((0, "", ""), (code, errors, await File.ReadAllTextAsync(errorsFile, TestContext.Current.CancellationToken)));
    }

    [Theory]
    [InlineData("10.99.0.0/24", "the DHCP pool 10.99.0.0/24 is of no subnet here (eth0 has 10.9.0.0/24, 10.8.0.0/24)")]
    [InlineData("10.9.0.0/24 10.80.0.0/24", "the DHCP pool 10.80.0.0/24 is of no subnet here (eth0 has 10.9.0.0/24, 10.8.0.0/24)")]
    [InlineData("10.8.0.0/24", null)] // an alias has its subnet
    [InlineData("10.9.0.0/24 10.99.0.0/24,relay", null)]
    public async Task A_DHCP_pool_of_a_subnet_that_is_no_interface_s_is_refused_at_the_start(string pools, string? refusal)
    {
        string options = string.Concat(pools.Split(' ').Select(pool => $" --dhcp-pool {pool}"));
        string script = $"""
            ip link set lo up; ip link add eth0 type veth peer name eth1
            ip address add 10.9.0.1/24 dev eth0; ip address add 10.8.0.1/24 dev eth0 label eth0:1; ip link set eth0 up; ip link set eth1 up
            "$0" serve --data {_folder}/data --interface eth0 --dhcp full --tftp off{options} >{_folder}/output & serving=$!
            until grep -qs ^ready {_folder}/output; do kill -0 $serving 2>/dev/null || break; sleep 0.1; done
            kill -TERM $serving 2>/dev/null; wait $serving
            """;
        (int code, _, string errors) = await CommandLine.RunToolAsync(["unshare", "--net", "bash", "-c", script, CommandLine.Program]);
        Assert.Equal(refusal is null ? 0 : 1, code);
        Assert.Contains(refusal ?? "", errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', errors.TrimEnd());
    }

    [Fact]
    public async Task An_appliance_that_is_asked_to_stop_at_any_moment_ends_with_0_also_before_it_is_ready()
    {
        const int seed = 1511, times = 20;
        var random = new Random(seed);
        string data = Path.Combine(_folder, "data");
        for (int i = 0; i < times; i++)
        {
            // Half of them before it is ready. Before it has become the program that serves (LeanProcess), nobody can hear a signal.
            double seconds = random.NextDouble() * (i % 2 == 0 ? 0.4 : 2);
            string wait = seconds.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture);
            // A shell starts what it does not wait for with SIGINT ignored.
            string script = $"""
                ip link set lo up; ip link add eth0 type veth peer name eth1
                ip address add 10.9.0.1/24 dev eth0; ip link set eth0 up; ip link set eth1 up
                env --default-signal=INT "$0" serve --data {data} --interface eth0 --dhcp full --tftp 0.0.0.0:69 \
                  >{_folder}/output 2>{_folder}/errors & serving=$!
                until tr '\0' '\n' </proc/$serving/environ | grep -q ^MALLOC_ARENA_MAX=; do kill -0 $serving; done
                sleep {wait}
                kill -{(i % 3 == 0 ? "INT" : "TERM")} $serving; wait $serving
                """;
            (int code, string output, string errors) =
                await CommandLine.RunToolAsync(["unshare", "--net", "bash", "-ec", script, CommandLine.Program]);
            string said = await File.ReadAllTextAsync(Path.Combine(_folder, "errors"), TestContext.Current.CancellationToken);
            Assert.True(code == 0, $"seed {seed}, stop {i} after {wait} s: {code} {output}{errors}{said}");
        }
    }

    [Fact]
    public async Task Without_the_privilege_for_its_ports_the_appliance_starts_and_says_how_to_grant_it()
    {
        // In a network of its own, as root of nothing; it ends by itself a moment after it was ready.
        (int code, string output, string errors) = await CommandLine.RunToolAsync(
        [
            "unshare", "--map-root-user", "--net", "sh", "-c", """
                ip link set lo up
                setpriv --bounding-set -all "$@" >"$0/out" 2>&1 & pid=$!
                until grep -qs ^ready "$0/out"; do kill -0 $pid || break; sleep 0.1; done
                kill $pid; wait $pid; code=$?; cat "$0/out"; exit $code
                """, _folder, Path.Combine(AppContext.BaseDirectory, "bootstrap"), "serve", "--data", Path.Combine(_folder, "data"),
            "--interface", "lo",
        ]);
        Assert.True(code == 0, output + errors);
        Assert.Contains("TFTP may not listen on UDP 0.0.0.0:69: that needs root or CAP_NET_BIND_SERVICE", output, StringComparison.Ordinal);
        Assert.Contains("DHCP on lo may not listen on UDP 0.0.0.0:67: that needs root or CAP_NET_BIND_SERVICE", output,
            StringComparison.Ordinal);
        Assert.Contains("setcap cap_net_bind_service,cap_net_raw+ep", output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
