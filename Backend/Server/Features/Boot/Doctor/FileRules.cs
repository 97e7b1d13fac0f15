using Bootstrap.Netboot;
using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>What can go wrong with boot files, by TFTP and HTTP.</summary>
internal static class FileRules
{
    /// <summary>Boot programs before the EEPROM of 2025-09-23 count blocks in 16 bits and do not count on from 0.</summary>
    private const int MaxBlocks = ushort.MaxValue;

    /// <summary>Between two files a boot program is never silent for so long.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    /// <summary>An EEPROM waits 30 s for a file (TFTP_FILE_TIMEOUT) before it goes on to something else.</summary>
    private static readonly TimeSpan s_givenUp = TimeSpan.FromSeconds(45);

    /// <summary>A file that is there cannot be read.</summary>
    public static Finding? Unreadable(BootCourse course) =>
        course.Files.LastOrDefault(f => f.Outcome == TftpOutcome.Failed) is { } failed && !IsFetchedLater(course, failed)
            ? new Finding("unreadable-file", FindingSeverity.Fault, $"{failed.Path} could not be sent to the board.",
                $"{course.After(failed.At)}: {failed.Detail ?? "no reason was given"}.",
                "See that the file can be read on this appliance, and that its network is up.")
            : null;

    /// <summary>The file has more blocks than the boot program can count: 33.5 MB at 512 bytes, 67 MB at 1,024, 96 MB at 1,468.</summary>
    public static Finding? TooLarge(BootCourse course) =>
        course.Files.LastOrDefault(f => IsTooLarge(f) && !IsFetchedLater(course, f)) is { } file
            ? new Finding("file-too-large", FindingSeverity.Fault,
                $"{file.Path} has {Words.Bytes(file.Length!.Value)}; with blocks of {file.BlockSize} bytes this boot program can take " +
                    $"{Words.Bytes((long)MaxBlocks * file.BlockSize)} at most.",
                $"{course.After(file.At)} the transfer ended after {Words.Bytes(file.Bytes)}" + (file.Detail is null ? "."
                    : $": {file.Detail}."),
                course.Board.Family == PiFamily.Pi3
                    ? "Serve a smaller or compressed kernel to this model: it takes blocks of 512 bytes only."
                    : "Serve a smaller or compressed file, or update the board's EEPROM to 2025-09-23 or later, which counts on.")
            : null;

    /// <summary>A file that this model cannot do without is not served.</summary>
    public static Finding? Missing(BootCourse course)
    {
        if (course.Silence < s_pause || course.KernelAt is not null)
        {
            return null;
        }
        foreach (RequiredFiles.Group group in RequiredFiles.Of(course))
        {
            FileEvent[] asked = [.. course.Files.Where(group.Is)];
            if (asked.Length > 0 && asked.All(f => f.Outcome == TftpOutcome.NotFound))
            {
                string paths = string.Join(", ", asked.Select(f => f.Path).Distinct().Take(4));
                if (course.Board.Family == PiFamily.Pi5)
                {
                    return new Finding("needs-boot-set", FindingSeverity.Fault,
                        "The board needs a boot set: NetInst's own kernel does not know the Raspberry Pi 5.",
                        $"It asked for {paths}; none is there.",
                        "Create a boot set from an image that knows it, such as Raspberry Pi OS (64 bits), and use it for pi5: on the " +
                            "page, or with `bootstrap boot sets create IMAGE NAME` and `bootstrap boot sets use NAME --for pi5`.");
                }
                return new Finding("missing-file", FindingSeverity.Fault,
                    $"The board cannot go on without {group.Name}, {group.Purpose}, and this appliance does not have it.",
                    $"It asked for {paths}; none is there.",
                    course.IsPi ? $"Add {group.Name} to the boot files: a complete set of the Raspberry Pi firmware has it."
                        : $"Build the boot files again so that they have {group.Name} for this board's architecture.");
            }
        }
        return null;
    }

    /// <summary>A transfer that the board gave up, and did not repeat.</summary>
    public static Finding? Abandoned(BootCourse course) =>
        course.Silence >= s_pause && course.Files.LastOrDefault(IsBroken) is { } broken && !IsTooLarge(broken)
            && !IsFetchedLater(course, broken)
            ? new Finding("abandoned-transfer", FindingSeverity.Fault, $"The board gave up while it fetched {broken.Path}.",
                $"{course.After(broken.Until)} it stopped at {Progress(broken)}" + (broken.Detail is null ? "." : $": {broken.Detail}."),
                "Look at the cable, the switch's port and the board's power: packets are lost, or the board restarted. It boots anew " +
                    "when its power is cycled.")
            : null;

    /// <summary>Files were fetched, and then nothing more, with no error that anybody told.</summary>
    public static Finding? Stopped(BootCourse course) =>
        course.Files.Count > 0 && course.KernelAt is null && !course.IsLeftAlone && course.Silence >= s_givenUp &&
        Missing(course) is null && Abandoned(course) is null && TooLarge(course) is null && Unreadable(course) is null
            ? new Finding("stopped", FindingSeverity.Fault, "The board stopped before it fetched a kernel, and said nothing.",
                $"Its last request was for {course.Files[^1].Path}, {Words.Seconds((long)course.Silence.TotalMilliseconds)} ago.",
                course.Board.Family == PiFamily.Pi3
                    ? "Cycle its power: the boot ROM of a Raspberry Pi 3 stops after five tries. If it stops at the same file again, " +
                        "give it a card with bootcode.bin alone."
                    : "Cycle its power; if it stops at the same file again, connect a screen: the boot program shows there what it " +
                        "lacks. An EEPROM update cures many such stops.")
            : null;

    /// <summary>Transfers that broke and were repeated with success.</summary>
    public static Finding? Retried(BootCourse course)
    {
        FileEvent[] broken = [.. course.Files.Where(f => IsBroken(f) && IsFetchedLater(course, f))];
        return broken.Length == 0 ? null : new Finding("retried-transfers", FindingSeverity.Warning,
            $"{Words.Count(broken.Sum(f => f.Count), "transfer")} broke off and had to be repeated.",
            string.Join("; ", broken.Take(3).Select(f => $"{f.Path} at {Progress(f)}")) + ".",
            "One now and then is harmless; many point to a bad cable, a busy switch or weak power.");
    }

    /// <summary>Requests that make no sense here.</summary>
    public static Finding? Refused(BootCourse course) =>
        course.Files.LastOrDefault(f => f.Outcome == TftpOutcome.Refused) is { } refused
            ? new Finding("refused-request", FindingSeverity.Warning, $"A request for {refused.Path} was refused.",
                $"{course.After(refused.At)}: {refused.Detail ?? "no reason was given"}.")
            : null;

    private static bool IsBroken(FileEvent f) => f.Outcome is TftpOutcome.Aborted or TftpOutcome.TimedOut;

    private static bool IsTooLarge(FileEvent f) =>
        IsBroken(f) && f is { Protocol: FileProtocol.Tftp, BlockSize: > 0, Length: not null } && f.Length >= (long)MaxBlocks * f.BlockSize;

    private static bool IsFetchedLater(BootCourse course, FileEvent file) =>
        course.Files.Any(f => f.Outcome == TftpOutcome.Completed && f.Leaf == file.Leaf && f.Until >= file.Until);

    /// <summary>"block 12 of 5,342", or bytes where there are no blocks.</summary>
    private static string Progress(FileEvent f) => f is { BlockSize: > 0, Length: { } length }
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"block {f.Bytes / f.BlockSize:N0} of {length / f.BlockSize + 1:N0}")
        : $"{Words.Bytes(f.Bytes)} of {(f.Length is { } all ? Words.Bytes(all) : "an unknown length")}";
}
