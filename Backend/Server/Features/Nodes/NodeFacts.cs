using System.Globalization;
using System.Numerics;
using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>
/// What of a node is worth remembering, each as a few words for people: that is compared, and its history kept. What a program cannot tell
/// is left out and stays as it was: NetInst's own kernel is not the node's, and its drivers are not all.
/// </summary>
internal static class NodeFacts
{
    public const string Name = "name", Tags = "tags", Location = "location", Address = "address", Switch = "switch";

    /// <summary>The board itself, its parts and its place: a change of these is marked until a person has seen it.</summary>
    public static readonly IReadOnlyList<string> Notable =
        ["model", "revision", "memory", "processors", "card", "disks", "interfaces", "firmware", Switch];

    private const string None = "none";

    public static bool IsNotable(string field) => Notable.Contains(field);

    /// <summary>Field → words.</summary>
    /// <param name="inventory">What the node says.</param>
    /// <param name="link">Which of its programs says so.</param>
    /// <param name="version">That program's.</param>
    /// <param name="address">Where it was heard from; null: not asked.</param>
    public static Dictionary<string, string> Of(Inventory inventory, LinkState link, string version, string? address)
    {
        var facts = new Dictionary<string, string>();
        Add("model", inventory.Model);
        Add("revision", inventory.Revision);
        Add("memory", Memory(inventory));
        Add("firmware", inventory.Firmware);
        Add("card", List(inventory.Disks.Where(d => d.Kind == "sd").Select(Disk)));
        Add("disks", List(inventory.Disks.Where(d => d.Kind != "sd").Select(Disk)));
        Add(Address, address ?? "");
        if (link == LinkState.Slave)
        {
            Add("processors", inventory.Processors.ToString(CultureInfo.InvariantCulture));
            Add("interfaces", List(inventory.Interfaces.Select(i => i.Mac.ToString())));
            Add("kernel", inventory.Kernel);
            Add("system", inventory.System);
            Add("slave", version);
        }
        return facts;

        void Add(string field, string words)
        {
            if (words.Length > 0)
            {
                facts[field] = words;
            }
        }
    }

    /// <summary>The switch's port of each interface that has one; <c>none</c> where no switch speaks.</summary>
    public static string SwitchPorts(Inventory inventory) =>
        List(inventory.Interfaces.Select(i => i.Switch).OfType<SwitchPort>().Select(Words));

    /// <summary>"rack-3 port Gi1/0/7".</summary>
    public static string Words(SwitchPort port) => $"{(port.SystemName.Length > 0 ? port.SystemName : port.Chassis)} port " +
        (port.PortDescription.Length > 0 && port.Port.Contains(':', StringComparison.Ordinal) ? port.PortDescription : port.Port);

    /// <summary>
    /// A Pi's is what its revision code says. Of other boards only that is known which the kernel manages: a little less than what is
    /// plugged in, and not the same with every kernel. Memory comes in few sizes: the next one is meant.
    /// </summary>
    private static string Memory(Inventory inventory)
    {
        if (uint.TryParse(inventory.Revision, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code)
            && PiRevision.Read(code) is { } board)
        {
            return Mebibytes(board.MemoryBytes);
        }
        if (inventory.MemoryBytes <= 0)
        {
            return "";
        }
        long step = Math.Max(1L << 20, 1L << Math.Max(0, BitOperations.Log2((ulong)inventory.MemoryBytes) - 2));
        return Mebibytes((inventory.MemoryBytes + step - 1) / step * step);
    }

    private static string Mebibytes(long bytes) => bytes % (1L << 30) == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes >> 30} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MiB");

    private static string Disk(DiskInfo disk)
    {
        string[] words = [disk.Card?.Manufacturer ?? "", disk.Model,
            string.Create(CultureInfo.InvariantCulture, $"{disk.SizeBytes / 1e9:0.0} GB"),
            disk.Card?.Serial is { Length: > 0 } serial ? serial : disk.Serial];
        return string.Join(' ', words.Where(w => w.Length > 0));
    }

    private static string List(IEnumerable<string> words) => words.Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } some
        ? string.Join(", ", some) : None;
}
