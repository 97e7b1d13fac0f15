using System.Globalization;
using System.Text;
using System.Text.Json;
using Bootstrap.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Nodes;

/// <summary><c>/nodes.csv</c> for spreadsheets, one line a node, and <c>/nodes.json</c> for programs: all that is known of all nodes, or of
/// those that a selector takes, as a file.</summary>
internal static class NodeExport
{
    private static readonly JsonSerializerOptions s_json = new(ApiJson.Options) { WriteIndented = true };

    private static readonly (string Title, Func<NodeView, string> Cell)[] s_columns =
    [
        ("name", n => n.Name),
        ("id", n => n.Id.ToString()),
        ("link", n => ApiJson.Word(n.Link)),
        ("lifecycle", n => ApiJson.Word(n.Lifecycle)),
        ("mark", n => ApiJson.Word(n.Mark)),
        ("tags", n => string.Join(' ', n.Tags)),
        ("location", n => n.Location),
        ("note", n => n.Note),
        ("address", n => n.Address ?? ""),
        ("macs", n => Join(n.Inventory.Interfaces.Select(i => i.Mac.ToString()))),
        ("speed_mbit", n => Join(n.Inventory.Interfaces.Where(i => i.SpeedMbit > 0).Select(i => Number(i.SpeedMbit)))),
        ("switch", n => Join(Switches(n).Select(s => s.SystemName.Length > 0 ? s.SystemName : s.Chassis))),
        ("switch_port", n => Join(Switches(n).Select(s => s.Port))),
        ("switch_address", n => Join(Switches(n).Select(s => s.ManagementAddress))),
        ("model", n => n.Inventory.Model),
        ("serial", n => n.Inventory.Serial),
        ("revision", n => n.Inventory.Revision),
        ("maker", n => n.Revision?.Maker ?? ""),
        ("memory_bytes", n => Number(n.Revision?.MemoryBytes ?? n.Inventory.MemoryBytes)),
        ("processors", n => Number(n.Inventory.Processors)),
        ("architecture", n => n.Inventory.Architecture),
        ("firmware", n => n.Inventory.Firmware),
        ("disks", n => Join(n.Inventory.Disks.Select(d => FormattableString.Invariant($"{d.Name} {d.SizeBytes} {d.Kind} {d.Model}")
            .TrimEnd()))),
        ("disk_serials", n => Join(n.Inventory.Disks.Select(d => d.Serial))),
        ("card_maker", n => Join(Cards(n).Select(c => c.Manufacturer))),
        ("card_date", n => Join(Cards(n).Select(c => c.Date))),
        ("card_life_used_percent",
            n => Join(Cards(n).Where(c => c.LifeUsedPercent is not null).Select(c => Number(c.LifeUsedPercent!.Value)))),
        ("system", n => n.Inventory.System),
        ("kernel", n => n.Inventory.Kernel),
        ("version", n => n.Version),
        ("image", n => n.ImageName ?? n.Image ?? ""),
        ("first_seen", n => CsvText.Time(n.FirstSeen)),
        ("last_seen", n => CsvText.Time(n.LastSeen)),
    ];

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/nodes.csv", (string? select, NodeDirectory nodes) => nodes.Answer(select, chosen =>
            Results.File(Encoding.UTF8.GetBytes(Csv(chosen)), "text/csv; charset=utf-8", "nodes.csv"))).Compresses();
        api.MapGet("/nodes.json", (string? select, NodeDirectory nodes) => nodes.Answer(select, chosen =>
            Results.File(JsonSerializer.SerializeToUtf8Bytes(chosen, s_json), "application/json", "nodes.json"))).Compresses();
    }

    /// <summary>A head line, and a line for each node. Several values in one cell are apart by "; ".</summary>
    internal static string Csv(IEnumerable<NodeView> nodes) => CsvText.Of(s_columns, nodes);

    private static IEnumerable<SwitchPort> Switches(NodeView node) => node.Inventory.Interfaces.Select(i => i.Switch).OfType<SwitchPort>();

    private static IEnumerable<CardInfo> Cards(NodeView node) => node.Inventory.Disks.Select(d => d.Card).OfType<CardInfo>();

    private static string Join(IEnumerable<string> values) => string.Join("; ", values);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
