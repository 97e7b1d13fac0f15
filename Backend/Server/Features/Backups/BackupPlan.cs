using Bootstrap.Server.Features.Schedules;

namespace Bootstrap.Server.Features.Backups;

/// <summary>When backups are made by themselves, and how many are kept.</summary>
/// <param name="Cron">Five fields; null: none is made by itself.</param>
/// <param name="Zone">IANA name of the time zone that the line is read in.</param>
/// <param name="Keep">So many stay, the newest; older ones are removed once a newer one was verified.</param>
/// <param name="Images">With the images' bytes.</param>
/// <param name="Passphrase">Write-only, seals the backups; not given: the one that is kept.</param>
/// <param name="PassphraseSet">One is kept.</param>
public sealed record BackupPlan(string? Cron = null, string Zone = "UTC", int Keep = 7, bool Images = false, string? Passphrase = null,
    bool? PassphraseSet = null)
{
    public const int MostKept = 1000, ShortestPassphrase = 12, LongestPassphrase = 1024;

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    public string? Validate(DateTimeOffset now) =>
        Keep is < 1 or > MostKept ? $"keep is 1 to {MostKept}, not {Keep}."
        : Passphrase is { } passphrase && FaultOf(passphrase) is { } weak ? weak
        : Cron is null ? null
        : Passphrase is null && PassphraseSet is not true ? "Backups by themselves need a passphrase that seals them."
        : CronLine.Read(Cron, Zone, now, out string fault) is null ? fault
        : null;

    /// <summary>What is wrong with a passphrase, in one sentence; null: nothing.</summary>
    public static string? FaultOf(string passphrase) =>
        passphrase.Length is < ShortestPassphrase or > LongestPassphrase || passphrase.Any(char.IsControl)
            ? $"A passphrase has {ShortestPassphrase} to {LongestPassphrase} characters, on one line." : null;
}

/// <summary>A backup in the folder of backups.</summary>
/// <param name="MadeAt">Unix milliseconds.</param>
/// <param name="Images">The images' bytes are in it.</param>
public sealed record BackupView(string Name, long SizeBytes, long MadeAt, bool Images);

/// <summary>How the last backup went that was kept here.</summary>
/// <param name="At">When it ended, Unix milliseconds.</param>
/// <param name="Error">Why there is none; empty: there is.</param>
public sealed record LastBackup(long At, string Error);
