using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Bootstrap.Rack;

/// <summary>
/// A rack: a network of its own with switch "rack0", on which programs started here are 10.77.0.1/24, and boards are plugged in.
/// Everything in it
/// ends when it is disposed, or when the program that made it ends, however that happens.
/// </summary>
public sealed class VirtualRack : IAsyncDisposable
{
    private static readonly Dictionary<string, string> s_noMore = [];

    private readonly Process _holder;
    private readonly string[] _enter;

    private VirtualRack(Process holder, int processId)
    {
        _holder = holder;
        string[] user = Native.GetEffectiveUser() == 0 ? [] : ["--user", "--preserve-credentials"];
        _enter = ["nsenter", "--target", processId.ToString(CultureInfo.InvariantCulture), .. user, "--net", "--pid", "--"];
    }

    /// <summary>Name of the switch, for <c>--interface</c>.</summary>
    public const string Switch = RackNetwork.Bridge;

    /// <summary>The address of programs in the rack.</summary>
    public const string Address = "10.77.0.1";

    /// <summary>Makes a rack.</summary>
    /// <param name="addressServer">Beside it stands a site's DHCP server (dnsmasq at 10.77.0.2) that gives addresses and knows nothing of
    /// booting.</param>
    /// <exception cref="RackException">This user or this machine cannot have one; the message says why.</exception>
    public static async Task<VirtualRack> StartAsync(bool addressServer)
    {
        Process holder = Tool.Start([.. Namespaces.Self, "hold", "--address-server", addressServer ? "dnsmasq" : "none"]);
        string? line = await holder.StandardOutput.ReadLineAsync();
        if (line is null)
        {
            throw new RackException((await holder.StandardError.ReadToEndAsync()).Trim());
        }
        using JsonDocument up = JsonDocument.Parse(line);
        return new VirtualRack(holder, up.RootElement.GetProperty("pid").GetInt32());
    }

    /// <summary>What is put before a command so that it runs in the rack's network, and else where it is.</summary>
    public IReadOnlyList<string> OnTheSwitch => [.. _enter.Where(word => word != "--pid")];

    /// <summary>Starts a program in the rack.</summary>
    /// <param name="command">Program and arguments.</param>
    /// <param name="environment">Environment variables beside this program's own.</param>
    public Task<RackProcess> StartAsync(IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null) =>
        RackProcess.StartAsync(_enter, command, environment ?? s_noMore);

    /// <summary>Runs a program in the rack to its end and returns what it printed.</summary>
    /// <exception cref="RackException">It failed.</exception>
    public Task<string> RunAsync(params string[] command) => Tool.RunAsync([.. _enter, .. command]);

    /// <summary>Plugs in a board and switches it on.</summary>
    public async Task<VirtualBoard> StartBoardAsync(BoardOptions board) =>
        new(board, await StartAsync([.. Namespaces.Self, "board", .. board.ToArguments()]));

    /// <summary>Starts a program on a machine of its own in the rack; its interface is eth0.</summary>
    /// <param name="id">Number of the machine, from 1.</param>
    /// <param name="address">Its address and subnet: "10.77.0.3/24".</param>
    /// <param name="command">Program and arguments.</param>
    public Task<RackProcess> StartMachineAsync(int id, string address, IReadOnlyList<string> command) =>
        StartAsync([.. Namespaces.Self, "machine", "--id", id.ToString(CultureInfo.InvariantCulture), "--address", address, "--",
            .. command]);

    public async ValueTask DisposeAsync()
    {
        // The holder waits for the end of its input; when it goes, the kernel ends all that is in the rack.
        _holder.StandardInput.Close();
        await _holder.WaitForExitAsync();
        _holder.Dispose();
    }
}
