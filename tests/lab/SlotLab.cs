using System.Globalization;

namespace Bootstrap.Lab.Tests;

/// <summary>What tests of disks with two slots share.</summary>
internal static class SlotLab
{
    public const long CardSize = 4L << 30;

    /// <summary>Boot partitions of a board that chooses by autoboot.txt.</summary>
    public const int BootA = 2, BootB = 3;

    /// <summary>Somebody uses the system.</summary>
    public const string Inhabit = """
        set -e
        useradd -m ada
        echo hers >/home/ada/notes
        chown ada: /home/ada/notes
        touch /etc/not-kept
        sync
        """;

    public static async Task RunAsync(Lab lab, VirtualBoard board, string shell) =>
        await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board, parameters: new { shell }));

    /// <summary>Which boot partition the board took at each of its starts from the card, and whether with the tryboot flag.</summary>
    public static List<(int Partition, bool TryBoot)> Starts(VirtualBoard board) => [.. board.Events.Where(e => e.Name == "autoboot")
        .Select(e => (int.Parse(e["partition"], CultureInfo.InvariantCulture), e["tryboot"] == "True"))];
}
