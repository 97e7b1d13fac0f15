namespace Bootstrap.Server.Features.Jobs;

/// <summary>How far a task is on its whole way: what every bar shows, of one task or of several together.</summary>
internal static class TaskFraction
{
    /// <summary>Where a phase of an installation begins and ends on its way: what Pis with usual cards need, roughly.</summary>
    private static readonly Dictionary<string, (double From, double To)> s_install = new()
    {
        [InstallKind.Staging] = (0, 0.03),
        ["checking"] = (0.05, 0.06),
        ["keeping"] = (0.06, 0.07),
        ["writing"] = (0.07, 0.7),
        ["verifying"] = (0.7, 0.9),
        ["configuring"] = (0.9, 0.93),
        ["rebooting"] = (0.93, 0.93),
        [InstallKind.Starting] = (0.93, 0.97),
        [InstallKind.Trying] = (0.93, 0.96),
        [InstallKind.Confirming] = (0.96, 0.97),
        [InstallKind.FirstBoot] = (0.97, 1),
    };

    /// <summary>Where a test of the card stands on the way, which all that follows shares the rest of: it writes and reads everything, and
    /// the installation a small part of it.</summary>
    private const double TestFrom = 0.06, TestTo = 0.7;

    /// <summary>The same of an update of boot firmware: most of it is the restart.</summary>
    private static readonly Dictionary<string, (double From, double To)> s_firmware = new()
    {
        ["checking"] = (0, 0.1),
        ["staging"] = (0.1, 0.4),
        [FirmwareKind.Restarting] = (0.4, 0.95),
        [FirmwareKind.Confirming] = (0.95, 1),
    };

    /// <summary>0 to 1, and never less when a phase ends; null: nobody knows.</summary>
    /// <param name="done">Of <paramref name="total"/>, within the phase; a total of 0: it has no measure.</param>
    /// <param name="testsCard">Of an installation: it tests the card before.</param>
    public static double? Of(string kind, TaskState state, string phase, long done, long total, bool testsCard = false)
    {
        double? inPhase = total > 0 ? Math.Min(1, (double)done / total) : null;
        Dictionary<string, (double From, double To)>? way = kind switch
        {
            InstallKind.Name => s_install,
            "firmware" => s_firmware,
            _ => null,
        };
        if (state == TaskState.Succeeded)
        {
            return 1;
        }
        if (way is null)
        {
            return inPhase is { } part ? Math.Round(part, 4) : null;
        }
        (double from, double to) = way.GetValueOrDefault(phase);
        if (testsCard)
        {
            (from, to) = phase == InstallKind.Testing ? (TestFrom, TestTo) : (BehindTest(from), BehindTest(to));
        }
        return Math.Round(from + ((to - from) * (inPhase ?? 0)), 4);
    }
    private static double BehindTest(double fraction) =>
        fraction <= TestFrom ? fraction : TestTo + ((fraction - TestFrom) / (1 - TestFrom) * (1 - TestTo));
}
