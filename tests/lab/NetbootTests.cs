using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>DHCP and TFTP between network namespaces, with other people's clients and servers.</summary>
public sealed class NetbootTests : IAsyncLifetime
{
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromMinutes(8);

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly string _folder = Directory.CreateTempSubdirectory("bootstrap-netboot-").FullName;

    private string Files => Path.Combine(_folder, "files");

    public async ValueTask InitializeAsync()
    {
        _stop.CancelAfter(s_timeLimit);
        Directory.CreateDirectory(Files);
        foreach ((string name, int size) in new[]
        {
            ("bootcode.bin", 52_476), ("start.elf", 700_000), ("start4.elf", 600_001), ("fixup.dat", 7_303), ("fixup4.dat", 5_436),
                ("kernel8.img", 1_468 * 900),
        })
        {
            await File.WriteAllBytesAsync(Path.Combine(Files, name), RandomNumberGenerator.GetBytes(size), _stop.Token);
        }
        await File.WriteAllTextAsync(Path.Combine(Files, "config.txt"), "kernel=kernel8.img\n", _stop.Token);
        await File.WriteAllTextAsync(Path.Combine(Files, "cmdline.txt"), "console=serial0,115200\n", _stop.Token);
        string source = Path.Combine(_folder, "empty.dts");
        await File.WriteAllTextAsync(source, "/dts-v1/; / { };\n", _stop.Token);
        foreach (string board in (string[])["bcm2837-rpi-3-b", "bcm2710-rpi-3-b-plus", "bcm2711-rpi-4-b", "bcm2712-rpi-5-b"])
        {
            await Tool.RunAsync("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", Path.Combine(Files, board + ".dtb"), source);
        }
    }

    public ValueTask DisposeAsync()
    {
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("proxy", "dnsmasq")]
    [InlineData("proxy", "udhcpd")]
    [InlineData("full", "none")]
    public async Task Fifty_boards_of_all_models_boot_at_once(string mode, string addressServer)
    {
        const int Boards = 50;
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: addressServer == "dnsmasq");
        await using RackProcess? udhcpd = addressServer == "udhcpd" ? await Udhcpd.StartAsync(rack, _folder, _stop.Token) : null;
        await using RackProcess server = await ServeAsync(rack, "--dhcp", mode);
        await using RackProcess roms = await StartSelfAsync(rack,
            "roms", "--count", $"{Boards}", "--folder", Path.Combine(_folder, "loaded"), "--kind", "raspi3b,raspi3bplus,raspi4,raspi5");
        int failed = await roms.Exited.WaitAsync(_stop.Token);
        IReadOnlyList<JsonNode> events = Parse(roms), seen = Parse(server);
        string artefacts = Repository.MakeArtefactFolder($"Fifty_boards-{mode}-{addressServer}");
        await File.WriteAllLinesAsync(Path.Combine(artefacts, "boards.events"), roms.Output.Lines, _stop.Token);
        await File.WriteAllLinesAsync(Path.Combine(artefacts, "server.events"), server.Output.Lines, _stop.Token);

        Assert.True(failed == 0,
            string.Join('\n', roms.Errors.Lines.Concat(roms.Output.Lines.Where(l => l.Contains("failed", StringComparison.Ordinal)))));
        string digest = Convert.ToHexStringLower(
            SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Files, "kernel8.img"), _stop.Token)));
        JsonNode[] booted = [.. events.Where(e => e.Text("event") == "network-boot")];
        Assert.Equal(Boards, booted.Select(e => e.Text("board")).Distinct().Count());
        Assert.All(booted, e => Assert.Equal(digest, e.Text("kernel_sha256")));
        // No ROM was locked by an answer that came too soon.
        Assert.DoesNotContain(events, e => e.Text("event") == "rom-locked");
        Assert.DoesNotContain(seen, e => e.Text("event") == "malformed");
        if (addressServer == "dnsmasq")
        {
            // It keeps no address for the ROM of a Pi 3, which sends no REQUEST: two boards may share one, break each other's transfers,
            // and start over.
            return;
        }
        Assert.Equal(Boards, booted.Length);
        // Nobody was given another's address, and, probes and misses aside, every transfer went to its end.
        Assert.Equal(Boards, events.Where(e => e.Text("event") == "dhcp-bound").GroupBy(e => e.Text("address"))
            .Count(g => g.Select(e => e.Text("board")).Distinct().Count() == 1));
        Assert.All(seen.Where(e => e.Text("event") == "fetched"), e =>
            Assert.Contains(e.Text("outcome"), (string[])["Completed", "Probed", "NotFound"]));
    }

    [Fact]
    public async Task A_board_that_is_restarted_at_20_random_instants_of_its_boot_always_boots()
    {
        const int Seed = 20_150_601, RestartsOfEach = 5;
        string[] kinds = ["raspi3b", "raspi3bplus", "raspi4", "raspi5"];
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: false);
        await using RackProcess server = await ServeAsync(rack, "--dhcp", "full");
        await Task.WhenAll(kinds.Select(async (kind, i) =>
        {
            var random = new Random(Seed + i);
            async Task<RackProcess> PowerOnAsync() => await rack.StartAsync([.. Namespaces.NewTree([.. Namespaces.Self, "roms",
                "--count", "1", "--id", $"{i + 1}", "--kind", kind, "--folder", Path.Combine(_folder, kind)])]);

            await using RackProcess whole = await PowerOnAsync();
            Assert.Equal(0, await whole.Exited.WaitAsync(_stop.Token));
            int events = whole.Output.Lines.Count;
            for (int restart = 1; restart <= RestartsOfEach; restart++)
            {
                int cutAt = random.Next(events - 2), seen = 0;
                await using (RackProcess cut = await PowerOnAsync())
                {
                    await cut.Output.WaitForAsync(line => seen++ == cutAt ? line : null, _stop.Token);
                    // In the middle of what comes next.
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(200)), TimeProvider.System, _stop.Token);
                    await cut.KillAsync();
                }
                await using RackProcess again = await PowerOnAsync();
                Assert.Equal(0, await again.Exited.WaitAsync(_stop.Token));
                // A real one that finds nothing waits for somebody to cut its power.
                Assert.True(!again.Output.Lines.Any(line => line.Contains("boot-failed", StringComparison.Ordinal)),
                    $"{kind}, restart {restart} (seed {Seed}), cut after line {cutAt}:\n{string.Join('\n', again.Output.Lines)}");
            }
        }));
    }

    [Fact]
    public async Task A_Pi_3_that_loses_power_while_it_waits_for_its_address_is_not_locked_by_an_old_answer()
    {
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: false);
        await using RackProcess server = await ServeAsync(rack, "--dhcp", "full");
        string[] kinds = ["raspi3b", "raspi3bplus", "raspi3b", "raspi3bplus"];
        await Task.WhenAll(kinds.Select(async (kind, i) =>
        {
            async Task<RackProcess> PowerOnAsync() => await rack.StartAsync([.. Namespaces.NewTree([.. Namespaces.Self, "roms",
                "--count", "1", "--id", $"{i + 1}", "--kind", kind, "--folder", Path.Combine(_folder, $"{i}")])]);
            await using (RackProcess cut = await PowerOnAsync())
            {
                await cut.Output.WaitForAsync("dhcp-discover", _stop.Token);
                await cut.KillAsync();
            }
            await using RackProcess again = await PowerOnAsync();
            Assert.Equal(0, await again.Exited.WaitAsync(_stop.Token));
            Assert.DoesNotContain(again.Output.Lines, line => line.Contains("rom-locked", StringComparison.Ordinal));
        }));
    }

    [Theory]
    [InlineData("dnsmasq")]
    [InlineData("udhcpd")]
    public async Task A_second_address_server_does_not_start_beside_another_unless_it_is_forced(string addressServer)
    {
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: addressServer == "dnsmasq");
        await using RackProcess? udhcpd = addressServer == "udhcpd" ? await Udhcpd.StartAsync(rack, _folder, _stop.Token) : null;
        await using RackProcess refused = await StartSelfAsync(rack, "netboot", "--folder", Files, "--dhcp", "full");
        Assert.NotEqual(0, await refused.Exited.WaitAsync(_stop.Token));
        Assert.Contains(refused.Errors.Lines, line =>
            line.Contains("another DHCP server, 10.77.0.2, answers on rack0", StringComparison.Ordinal));
        await using RackProcess forced = await ServeAsync(rack, "--dhcp", "full", "--force", "yes");
        await using RackProcess beside = await ServeAnotherAsync(rack);
        Assert.Contains(beside.Errors.Lines, line => line.Contains("another program has that port", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_address_that_somebody_uses_without_having_asked_is_not_handed_out()
    {
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: false);
        await using RackProcess squatter = await rack.StartMachineAsync(1, "10.77.0.50/24", ["sleep", "infinity"]);
        await using RackProcess server = await ServeAsync(rack, "--dhcp", "full", "--pool", "10.77.0.0/24,10.77.0.50-10.77.0.51");
        await using RackProcess client = await rack.StartMachineAsync(2, "192.0.2.1/32",
            ["busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "4", "-s", "/bin/true", "-x", "hostname:board"]);
        Assert.Equal(0, await client.Exited.WaitAsync(_stop.Token));
        Assert.Contains(client.Errors.Lines.Concat(client.Output.Lines), line =>
            line.Contains("10.77.0.51 obtained", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cables_that_come_and_go_meanwhile_harm_nothing()
    {
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: false);
        await using RackProcess server = await ServeAsync(rack, "--dhcp", "full");
        await using RackProcess churn =
            await rack.StartAsync(
            ["sh", "-c", "while :; do ip link add churn0 type veth peer name churn1; ip address add 192.0.2.9/24 dev churn0; ip link " +
            "set churn0 up; ip link delete churn0; done"]);
        for (int id = 1; id <= 25; id++)
        {
            await using RackProcess client = await rack.StartMachineAsync(id, "192.0.2.1/32",
                ["busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "4", "-s", "/bin/true"]);
            Assert.True(await client.Exited.WaitAsync(_stop.Token) == 0,
                $"client {id} got no address: {string.Join('\n', server.Errors.Lines)}");
        }
        Assert.False(server.Exited.IsCompleted);
    }

    [Theory]
    [InlineData("curl -sS --tftp-blksize 1468 -o $target tftp://10.77.0.1/kernel8.img", 60_000)]
    [InlineData("atftp --option 'blksize 1468' --option 'windowsize 16' --get -r kernel8.img -l $target 10.77.0.1", 600_000)]
    [InlineData("tftp -m binary 10.77.0.1 -c get kernel8.img $target", 40_000)]
    public async Task A_file_arrives_whole_where_the_kernel_drops_packets_both_ways(string command, int size)
    {
        await File.WriteAllBytesAsync(Path.Combine(Files, "kernel8.img"), RandomNumberGenerator.GetBytes(size), _stop.Token);
        await using VirtualRack rack = await VirtualRack.StartAsync(addressServer: false);
        await using RackProcess server = await ServeAsync(rack);
        string target = Path.Combine(_folder, "fetched");
        await using RackProcess client = await rack.StartMachineAsync(1, "10.77.0.3/24", ["sh", "-c", $$"""
            set -e
            for way in ingress egress; do
              nft add table netdev $way
              nft "add chain netdev $way loss { type filter hook $way device eth0 priority 0; }"
              # All but an acknowledgement of block 0: if that is lost the options are acknowledged again, upon which atftp gives up.
              nft add rule netdev $way loss udp length gt 0 @th,80,16 != 0 numgen random mod 100 '<' 10 counter drop
            done
            target={{target}}
            {{command}}
            nft list ruleset | grep counter
            """]);
        Assert.True(await client.Exited.WaitAsync(_stop.Token) == 0,
            string.Join('\n', client.Errors.Lines.Concat(client.Output.Lines).Concat(server.Output.Lines)));
        Assert.Contains(client.Output.Lines, line => !line.Contains("packets 0 ", StringComparison.Ordinal)); // some were lost
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(Files, "kernel8.img"), _stop.Token),
            await File.ReadAllBytesAsync(target, _stop.Token));
    }

    private static IReadOnlyList<JsonNode> Parse(RackProcess process) => [.. process.Output.Lines.Select(line => JsonNode.Parse(line)!)];

    private static Task<RackProcess> StartSelfAsync(VirtualRack rack, params string[] arguments) =>
        rack.StartAsync([.. Namespaces.Self, .. arguments]);

    private async Task<RackProcess> ServeAsync(VirtualRack rack, params string[] arguments)
    {
        RackProcess server = await StartSelfAsync(rack, ["netboot", "--folder", Files, .. arguments]);
        await server.Output.WaitForAsync("\"serving\"", _stop.Token);
        return server;
    }

    private async Task<RackProcess> ServeAnotherAsync(VirtualRack rack)
    {
        RackProcess server = await StartSelfAsync(rack, "netboot", "--folder", Files);
        await server.Exited.WaitAsync(_stop.Token);
        return server;
    }
}
