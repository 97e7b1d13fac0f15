using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>
/// What a board says of itself is data, whoever wrote it: cut to what a board can have, and without characters that would do something to a
/// terminal, before anything is kept or shown of it.
/// </summary>
internal static class InventoryLimits
{
    /// <summary>Characters of one word or sentence of a board's.</summary>
    public const int MaximumText = 200;

    private const int MaximumInterfaces = 16, MaximumAddresses = 16, MaximumDisks = 64;

    /// <summary>Of a board that has said nothing of itself but who it is.</summary>
    public static Inventory Unsaid(NodeId node) => new(node, "", "", "", "", "", 0, 0, [], [], "", "");

    /// <summary>The inventory within its limits; the same one where it is.</summary>
    public static Inventory Bounded(this Inventory inventory) => inventory with
    {
        Architecture = Text(inventory.Architecture),
        Model = Text(inventory.Model),
        Serial = Text(inventory.Serial),
        Revision = Text(inventory.Revision),
        Firmware = Text(inventory.Firmware),
        Kernel = Text(inventory.Kernel),
        System = Text(inventory.System),
        Slot = inventory.Slot is "a" or "b" ? inventory.Slot : null,
        Interfaces = [.. inventory.Interfaces.Take(MaximumInterfaces).Select(Bounded)],
        Disks = [.. inventory.Disks.Take(MaximumDisks).Select(Bounded)],
    };

    /// <summary>One line of at most <see cref="MaximumText"/> characters: those that are no text are shown as U+FFFD.</summary>
    public static string Text(string text)
    {
        string line = text.Length <= MaximumText ? text : text[..MaximumText];
        return line.Any(IsNoText) ? string.Concat(line.Select(c => IsNoText(c) ? '\uFFFD' : c)) : line;
    }

    private static NetworkInterfaceInfo Bounded(NetworkInterfaceInfo i) => i with
    {
        Name = Text(i.Name),
        Driver = Text(i.Driver),
        Addresses = [.. i.Addresses.Take(MaximumAddresses).Select(Text)],
        Switch = i.Switch is not { } port ? null : new SwitchPort(
            Text(port.Chassis), Text(port.Port), Text(port.PortDescription), Text(port.SystemName), Text(port.ManagementAddress)),
    };

    private static DiskInfo Bounded(DiskInfo disk) => disk with
    {
        Name = Text(disk.Name),
        Kind = Text(disk.Kind),
        Model = Text(disk.Model),
        Serial = Text(disk.Serial),
        Card = disk.Card is not { } card ? null : card with
        {
            Type = Text(card.Type),
            Manufacturer = Text(card.Manufacturer),
            Product = Text(card.Product),
            Date = Text(card.Date),
            Serial = Text(card.Serial),
            ReserveUsed = Text(card.ReserveUsed),
        },
    };

    // Bidirectional overrides turn a line around on the screen (Unicode, UAX #9); line separators break it.
    private static bool IsNoText(char c) => PlainText.IsControl(c) || char.IsSurrogate(c);
}
