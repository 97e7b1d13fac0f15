using System.Globalization;
using System.Text.Json.Nodes;
using Bootstrap.Rack;

namespace Bootstrap.Demo;

/// <summary>Prints a line whenever something becomes of a board, and its progress in between where the output is a terminal.</summary>
internal sealed class BoardDisplay(IReadOnlyList<VirtualBoard> boards)
{
    private const int BarWidth = 30;

    private readonly Dictionary<string, string> _last = [];
    private readonly long _started = TimeProvider.System.GetTimestamp();
    private bool _barShown;

    /// <summary>Each board runs the system that was installed on it.</summary>
    public bool AllRun { get; private set; }

    public void Update(JsonNode nodes)
    {
        string bar = "";
        bool allRun = true;
        foreach (VirtualBoard board in boards)
        {
            JsonNode? node = nodes.AsArray().FirstOrDefault(n => n!["id"]!.ToString() == board.Options.NodeId);
            string state = Describe(board, node);
            allRun &= node?["lifecycle"]?.ToString() == "installed" && node["link"]?.ToString() == "slave";
            string name = node?["name"]?.ToString() ?? $"board {board.Options.Id}";
            if (_last.GetValueOrDefault(board.Options.NodeId) != state)
            {
                _last[board.Options.NodeId] = state;
                Clear();
                Console.WriteLine($"{Elapsed,6:0.0} s  {name}: {state}");
            }
            bar += Progress(name, node?["task"]);
        }
        AllRun = allRun;
        if (!Console.IsOutputRedirected && bar.Length > 0)
        {
            Clear();
            Console.Write(bar[..Math.Min(bar.Length, Math.Max(20, Console.WindowWidth - 1))]);
            _barShown = true;
        }
    }

    private double Elapsed => TimeProvider.System.GetElapsedTime(_started).TotalSeconds;

    private static string Describe(VirtualBoard board, JsonNode? node)
    {
        if (node is null)
        {
            return board.Events.LastOrDefault(e => e.Name is not "tftp") switch
            {
                null or { Name: "power-on" } => "switched on",
                { Name: "dhcp-discover" } => "asks for an address",
                { Name: "dhcp-offer" or "dhcp-bound" } => "has an address, fetches its boot files",
                { Name: "boot-failed" } failed => $"cannot boot: {failed["reason"]}",
                _ => "starts NetInst",
            };
        }
        string task = node["task"]?["phase"]?.ToString() is { Length: > 0 } phase ? phase : node["task"]?["state"]?.ToString() ?? "";
        return (node["lifecycle"]!.ToString(), node["link"]!.ToString(), task) switch
        {
            ("installed", "slave", _) => $"running {node["imageName"]}, its Slave reports in from {node["address"]}",
            (_, _, "starting") => "restarted, starts what was installed",
            (_, _, { Length: > 0 }) => $"installing: {task}",
            (var disk, var link, _) => $"enrolled (disk: {disk}, connected: {link})",
        };
    }

    private static string Progress(string name, JsonNode? task)
    {
        if (task is null || task["total"]!.GetValue<long>() is not (> 0 and var total))
        {
            return "";
        }
        double part = (double)task["done"]!.GetValue<long>() / total;
        double rate = task["rate"]!.GetValue<double>() / 1e6;
        string bar = new string('█', (int)(part * BarWidth)).PadRight(BarWidth, '░');
        return string.Create(CultureInfo.InvariantCulture, $"{name} {bar} {part * 100:0} % {rate:0} MB/s   ");
    }

    private void Clear()
    {
        if (_barShown)
        {
            Console.Write("\r\e[K");
            _barShown = false;
        }
    }
}
