using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Bootstrap.Board.Sampling;

namespace Bootstrap.Board.Tests.Sampling;

[Collection("readings of this machine")]
public sealed class MetricsTextTests : IDisposable
{
    private readonly FixtureRoot _root = new();

    public void Dispose() => _root.Dispose();

    private static string Text(StatusSampler sampler)
    {
        var output = new ArrayBufferWriter<byte>();
        MetricsText.Write(sampler, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Values by name and labels, and the types of families; fails where the text is not of the format.</summary>
    private static (Dictionary<string, double> Values, Dictionary<string, string> Types) Parse(string text)
    {
        var values = new Dictionary<string, double>();
        var types = new Dictionary<string, string>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                types.Add(words[2], words[3]);
            }
            else if (!line.StartsWith('#'))
            {
                int at = line.LastIndexOf(' ');
                values.Add(line[..at], double.Parse(line[(at + 1)..], CultureInfo.InvariantCulture));
            }
        }
        return (values, types);
    }

    [Fact]
    public void What_the_dashboard_shows_is_told()
    {
        _root.AddPi5().File("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "50004\n");
        using var board = new StatusSampler(_root.Folder, new StepClock(), new FakeFirmware());
        using var machine = new StatusSampler("/", TimeProvider.System);
        board.Sample(withProcesses: false);
        machine.Sample(withProcesses: false);
        string told = Text(board) + Text(machine);
        string dashboard = File.ReadAllText(Path.Combine(ClientPrograms.Root(), "packaging/grafana/nodes.json"));
        string[] shown = [.. Regex.Matches(dashboard, @"\b(node|bootstrap)_\w+").Select(match => match.Value).Distinct()];
        Assert.Contains("node_load1", shown);
        Assert.All(shown, name => Assert.Contains($"\n# TYPE {name} ", "\n" + told, StringComparison.Ordinal));
    }

    [Fact]
    public void Counters_of_a_board_stand_under_the_names_of_node_exporter_and_others_under_their_own()
    {
        _root.AddPi5().File("proc/self/mountinfo", "27 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n")
            .File("sys/block/mmcblk0/device/life_time", "0x02 0x03\n")
            .File("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "50004\n");
        using var sampler = new StatusSampler(_root.Folder, new StepClock(), new FakeFirmware());
        sampler.Sample(withProcesses: false);
        (Dictionary<string, double> values, Dictionary<string, string> types) = Parse(Text(sampler));
        Assert.Equal(40, values["node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}"]);
        Assert.Equal(3884376.0 * 1024, values["node_memory_MemTotal_bytes"]);
        Assert.Equal(88204.0 * 1024, values["node_memory_Active_anon_bytes"]);
        Assert.Equal(0, values["node_memory_HugePages_Total"]);
        Assert.Equal(20_480_000, values["node_disk_read_bytes_total{device=\"mmcblk0\"}"]);
        Assert.Equal(2.5, values["node_disk_read_time_seconds_total{device=\"mmcblk0\"}"]);
        Assert.Equal(1_000_000, values["node_network_receive_bytes_total{device=\"eth0\"}"]);
        Assert.Equal(125_000_000, values["node_network_speed_bytes{device=\"eth0\"}"]);
        Assert.Equal(48.312, values["node_thermal_zone_temp{zone=\"0\",type=\"cpu-thermal\"}"]);
        Assert.Equal(2.4e9, values["node_cpu_scaling_frequency_hertz{cpu=\"3\"}"]);
        Assert.Equal(15.120443, values["node_pressure_io_waiting_seconds_total"]);
        Assert.Equal(2, values["node_vmstat_oom_kill"]);
        Assert.Equal(1795960299, values["node_boot_time_seconds"]);
        Assert.Equal(1, values["bootstrap_firmware_throttled{reason=\"throttled\"}"]);
        Assert.Equal((0.0, 1.0), (values["bootstrap_firmware_throttled{reason=\"under_voltage\"}"],
            values["bootstrap_firmware_throttled_since_boot{reason=\"under_voltage\"}"]));
        Assert.Equal(0.3, values["bootstrap_disk_wear_ratio{device=\"mmcblk0\"}"]);
        Assert.Equal(3012, values["bootstrap_fan_rpm{fan=\"pwmfan fan1\"}"]);
        Assert.Contains(values.Keys, key => key.StartsWith("node_uname_info{", StringComparison.Ordinal) &&
            key.Contains("nodename=\"pi-1\"", StringComparison.Ordinal) &&
            key.Contains("release=\"6.12.25+rpt-rpi-v8\"", StringComparison.Ordinal));
        Assert.All(values.Keys, key => Assert.Contains(key.Split('{')[0], types.Keys));
    }

    [Fact]
    public void Labels_are_escaped()
    {
        _root.AddLinux().File("proc/self/mountinfo", "27 1 179:2 / /a\"b\\134c\\012d rw - ext4 /dev/sda1 rw\n");
        using var sampler = new StatusSampler(_root.Folder, new StepClock(), new FakeFirmware());
        sampler.Sample(withProcesses: false);
        Assert.Contains("{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/a\\\"b\\\\c\\nd\"} 0\n", Text(sampler),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_this_machine_it_says_what_Debians_node_exporter_says()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        int port = FreePort();
        var program = new ProcessStartInfo("prometheus-node-exporter", [$"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        {
            RedirectStandardError = true,
        };
        using Process exporter = Process.Start(program)!;
        _ = exporter.StandardError.ReadToEndAsync(stop);
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler());
            var address = new Uri($"http://127.0.0.1:{port}/metrics");
            string? answer = null;
            while (answer is null)
            {
                Assert.False(exporter.HasExited, "node_exporter has ended");
                try
                {
                    answer = await client.GetStringAsync(address, stop);
                }
                catch (HttpRequestException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop); // it does not listen yet
                }
            }
            using var sampler = new StatusSampler("/", TimeProvider.System);
            (Dictionary<string, double> before, Dictionary<string, string> types) = Parse(answer);
            sampler.Sample(withProcesses: false);
            (Dictionary<string, double> ours, Dictionary<string, string> ourTypes) = Parse(Text(sampler));
            (Dictionary<string, double> after, _) = Parse(await client.GetStringAsync(address, stop));
            Compare(before, ours, after, types, ourTypes);
        }
        finally
        {
            exporter.Kill();
            await exporter.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static void Compare(Dictionary<string, double> before, Dictionary<string, double> ours, Dictionary<string, double> after,
        Dictionary<string, string> types, Dictionary<string, string> ourTypes)
    {
        string[] shared = [.. ours.Keys.Where(key => key.StartsWith("node_", StringComparison.Ordinal))];
        Assert.InRange(shared.Length, 50, int.MaxValue);
        foreach (string key in shared)
        {
            Assert.True(before.ContainsKey(key), $"node_exporter has no {key}");
            string family = key.Split('{')[0];
            Assert.Equal(types[family], ourTypes[family]);
            if (types[family] == "counter")
            {
                // Idle and waiting times of a core may fall a little (proc(5)); and it multiplies where we divide.
                double slack = family == "node_cpu_seconds_total" ? 0.5 : 1e-9 * ours[key];
                Assert.True(ours[key] >= before[key] - slack && ours[key] <= after[key] + slack,
                    $"{key}: {before[key]} there, then {ours[key]} here, then {after[key]} there");
            }
        }
        foreach (string key in (string[])["node_memory_MemTotal_bytes", "node_memory_SwapTotal_bytes", "node_boot_time_seconds",
            .. shared.Where(key => key.StartsWith("node_filesystem_size", StringComparison.Ordinal) ||
                key.StartsWith("node_filesystem_readonly", StringComparison.Ordinal) ||
                key.StartsWith("node_uname", StringComparison.Ordinal))])
        {
            Assert.Equal(before[key], ours[key]);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
