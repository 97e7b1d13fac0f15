using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Lab.Tests;

/// <summary>
/// The Slave's program as it is on boards, as a process of this machine in a rack. What it runs sees a folder of its own at
/// <see cref="Mark"/>; there is no systemd, so that it runs commands as its own processes.
/// </summary>
internal sealed partial class LabSlave : IAsyncDisposable
{
    /// <summary>Where commands find the node's folder.</summary>
    public const string Mark = "/mnt";

    private readonly VirtualRack _rack;
    private readonly string _mac;
    private readonly int? _machine;
    private RackProcess? _process;

    private LabSlave(VirtualRack rack, string folder, string mac, int? machine) =>
        (_rack, Folder, _mac, _machine) = (rack, folder, mac, machine);

    /// <summary>Its id in the API.</summary>
    public string NodeId { get; private set; } = "";

    /// <summary>What commands see at <see cref="Mark"/>.</summary>
    public string Marks => Path.Combine(Folder, "marks");

    /// <summary>Its address, where it has a machine of its own.</summary>
    public string Address => $"10.77.0.{100 + _machine}";

    private string Folder { get; }

    private string Sys => Path.Combine(Folder, "sys");

    /// <summary>Makes a node that its appliance knows, and starts its Slave.</summary>
    /// <param name="number">From 1.</param>
    /// <param name="alone">On a machine of its own in the rack, where its status is at the usual port.</param>
    public static async Task<LabSlave> StartAsync(Lab lab, int number, bool alone = false)
    {
        string mac = $"52:54:00:cc:00:{number:x2}";
        var slave = new LabSlave(lab.Rack, Path.Combine(lab.Folder, $"slave-{number}"), mac, alone ? number : null);
        foreach (string folder in new[] { "config", "state", "marks", "sys/class/net/eth0/device", "sys/class/thermal/thermal_zone0" })
        {
            Directory.CreateDirectory(Path.Combine(slave.Folder, folder));
        }
        // A node is named by an interface with a device behind it: sysfs as a board would show it.
        await File.WriteAllTextAsync(Path.Combine(slave.Sys, "class/net/eth0/address"), mac + '\n', lab.Cancel);
        await File.WriteAllTextAsync(Path.Combine(slave.Sys, "class/thermal/thermal_zone0/type"), "cpu-thermal\n", lab.Cancel);
        slave.Temperature = 45;
        await slave.EnrolAsync(lab);
        await slave.StartAsync();
        return slave;
    }

    /// <summary>SIGKILL. What it ran goes on without it.</summary>
    public Task KillAsync() => _process!.KillAsync();

    public async Task StartAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
        string[] command = ["unshare", "-m", "sh", "-ec", """
            mount --bind "$1/sys" /sys
            mount --bind "$1/marks" /mnt
            exec "$2" --config "$1/config" --state "$1/state" --socket "$1/discovery.sock" --status "$3" --no-2015
            """, "sh", Folder, Repository.Slave, _machine is null ? "0" : "8445"];
        _process = await (_machine is { } machine ? _rack.StartMachineAsync(machine, $"{Address}/24", command) : _rack.StartAsync(command));
    }

    /// <summary>What its sensor says, °C.</summary>
    public double Temperature
    {
        set => File.WriteAllText(Path.Combine(Sys, "class/thermal/thermal_zone0/temp"), $"{(long)(1000 * value)}\n");
    }

    /// <summary>The most that its Slave had resident so far (proc(5), VmHWM).</summary>
    public long PeakMegabytes => long.Parse(File.ReadLines($"/proc/{_process!.ProcessId}/status")
        .First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1000;

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }

    /// <summary>It stands at the end of what NetInst boots from, not packed.</summary>
    private static string JoinToken(Lab lab)
    {
        const int EndBytes = 8192;
        byte[] initramfs = File.ReadAllBytes(Directory.EnumerateFiles(Path.Combine(lab.Folder, "data", "boot"), "initramfs-*").First());
        return Token().Match(System.Text.Encoding.Latin1.GetString(initramfs.AsSpan(Math.Max(0, initramfs.Length - EndBytes)))).Groups[
            1].Value;
    }

    [GeneratedRegex("\"joinToken\":\"([^\"]+)\"")]
    private static partial Regex Token();

    private async Task EnrolAsync(Lab lab)
    {
        string authorityFile = Path.Combine(lab.Folder, "data", "ca", "ca.pem"), socket = Path.Combine(Folder, "link.sock");
        using X509Certificate2 authority = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(authorityFile, lab.Cancel));
        await using RackProcess forwarder = await _rack.StartAsync(
            [.. Namespaces.Self, "forward", "--socket", socket, "--to", $"{VirtualRack.Address}:{ServicePorts.Link}"]);
        await forwarder.Output.WaitForAsync("forwarding", lab.Cancel);
        SocketsHttpHandler handler = new ApplianceTls(authority).CreateHandler(null, reason => throw new RackException(reason));
        handler.ConnectCallback = async (_, cancel) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
            return new NetworkStream(connection, ownsSocket: true);
        };
        using var http = new HttpClient(handler);

        Assert.True(MacAddress.TryParse(_mac, out MacAddress mac));
        var id = Protocol.Ids.NodeId.FromMac(mac);
        NodeId = id.ToString();
        ECDsa key = NodeIdentity.CreateKey();
        var inventory = new Inventory(
            id, "amd64", "a process", "", "", "", 1 << 28, 1, [new NetworkInterfaceInfo("eth0", mac, true, [], "", 0)], [], "", "");
        var request = new EnrolRequest(JoinToken(lab), NodeIdentity.CreateSigningRequest(key, id), inventory);
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.EnrolRequest));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response =
            await http.PostAsync($"https://appliance:{ServicePorts.Link}{EnrolRequest.Path}", content, lab.Cancel);
        response.EnsureSuccessStatusCode();
        EnrolResponse answer =
            JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(lab.Cancel), ProtocolJson.Default.EnrolResponse)!;

        string config = Path.Combine(Folder, "config");
        using var identity = NodeIdentity.Create(answer.Certificate, key);
        identity.Save(Path.Combine(config, NodeFiles.Identity));
        File.Copy(authorityFile, Path.Combine(config, NodeFiles.Authority));
        var settings = new NodeSettings("default", [$"{VirtualRack.Address}:{ServicePorts.Link}"], null, null);
        await File.WriteAllTextAsync(
            Path.Combine(config, NodeFiles.Settings), JsonSerializer.Serialize(settings, ProtocolJson.Default.NodeSettings), lab.Cancel);
    }
}
