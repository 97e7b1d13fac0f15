namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>What happens from the kernel on, and conversations that go as they should.</summary>
internal static class SystemRules
{
    /// <summary>The slowest board needs under a minute from its kernel to NetInst's introduction.</summary>
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(3);

    private const int BootsInARow = 3;

    /// <summary>The kernel was fetched, and NetInst never came.</summary>
    public static Finding? NoIntroduction(BootCourse course)
    {
        int before = course.Earlier.TakeWhile(c => !c.IsIntroduced && c.Events.Any(BootCourse.IsKernelFetched)).Count();
        if (course.KernelAt is not { } kernel || course.Now - kernel < s_startLimit.TotalMilliseconds)
        {
            return before + 1 < BootsInARow ? null : new Finding("kernel-restarts", FindingSeverity.Fault,
                "The board fetches its kernel and restarts, time after time: NetInst does not come up, or its kernel panics.",
                $"{Words.Count(before, "boot")} before this one fetched a kernel; none of them introduced itself.",
                "Connect a screen or a serial console (115200 baud): the kernel's last lines say what it lacks. Weak power restarts " +
                    "boards in the same way.");
        }
        string since = $"Kernel and initramfs were fetched {course.After(kernel)}; {Words.Seconds(course.Now - kernel)} later NetInst " +
            "has not introduced itself" +
            (before == 0 ? "." : $"; nor did it after the {Words.Count(before, "boot")} before.");
        return course.SystemDhcp.Count > 0
            ? new Finding("netinst-not-introduced", FindingSeverity.Fault,
                "NetInst runs and has asked for an address, but does not reach this appliance's link.",
                since + $" Its own DHCP {course.After(course.SystemDhcp[0].At)} shows that its network driver works.",
                (course.Relay is null
                    ? "Let TCP port 8444 and multicast 239.255.13.37 (UDP 1337, IGMP snooping with a querier) through between board and " +
                        "appliance"
                    : "Routers pass no multicast on: make a node of the board's network a relay (docs/relays.md), and let TCP port 8444 " +
                        "through to the appliance") +
                    "; the board's screen says what NetInst waits for.")
            : new Finding("kernel-silent", FindingSeverity.Fault,
                "The kernel was fetched, and nothing was heard from the board since: it did not start, or has no driver for its network " +
                    "interface.",
                since,
                "Connect a screen or a serial console (115200 baud): the kernel's last lines say what it lacks. A port that comes up in " +
                    "another VLAN after a link reset looks the same.");
    }

    /// <summary>A board with a complete disk starts from the network, time after time.</summary>
    public static Finding? AgainAndAgain(BootCourse course)
    {
        Conversation[] boots = [course.Conversation, .. course.Earlier];
        int inARow = boots.TakeWhile(c => c.IsIntroduced
            && !c.Events.Any(e => e is LinkEvent { Stage: LinkStage.Installing or LinkStage.Slave })).Count();
        return course.IsInstalled && inARow >= BootsInARow
            ? new Finding("boots-again-and-again", FindingSeverity.Fault,
                "The board has a complete system on its disk and boots from the network all the same.",
                $"The last {inARow} boots came to NetInst, and none to the installed system.",
                "Put its disk before the network in the boot order (Raspberry Pi 4 and 5: BOOT_ORDER=0xf21), and see that the card sits " +
                    "well: a card that cannot be read is skipped.")
            : null;
    }

    /// <summary>All went well, and now somebody must say what to install.</summary>
    public static Finding? Waits(BootCourse course) =>
        course.Link.Count > 0 && course.Link[^1] is { Stage: LinkStage.Waiting } wait
            ? new Finding("waits", FindingSeverity.Notice, "NetInst runs on the board and waits for a person.",
                wait.Detail is null ? $"It was told to wait {course.After(wait.At)}."
                    : $"It was told {course.After(wait.At)}: {wait.Detail}.",
                "Assign an image on the page, or with `bootstrap install`; nothing is written to its disk before.")
            : null;

    /// <summary>"Booted in 14 s: DHCP 0.2 s, 9 files with 21 MB in 6 s, kernel to NetInst 7 s."</summary>
    public static Finding? Booted(BootCourse course)
    {
        if (course.Introduction is not { } introduction)
        {
            return null;
        }
        var parts = new List<string>();
        if (course.Dhcp.Count > 0 && course.Files.Count > 0)
        {
            parts.Add($"DHCP {Words.Seconds(Math.Max(0, course.Files[0].At - course.Dhcp[0].At))}");
        }
        if (course.Fetched.Count > 0)
        {
            parts.Add($"{Words.Count(course.Fetched.Sum(f => f.Count), "file")} with " +
                $"{Words.Bytes(course.Fetched.Sum(f => f.Bytes * f.Count))} in " +
                Words.Seconds(course.Fetched.Max(f => f.Until) - course.Fetched.Min(f => f.At)));
        }
        string program = introduction.Stage == LinkStage.NetInst ? "NetInst" : "the installed system";
        if (course.KernelAt is { } kernel)
        {
            parts.Add($"kernel to {program} {Words.Seconds(introduction.At - kernel)}");
        }
        return new Finding("booted", FindingSeverity.Good,
            $"The board came to {program} in {Words.Seconds(introduction.At - course.Conversation.StartedAt)}.",
            parts.Count > 0 ? char.ToUpperInvariant(parts[0][0]) + string.Join(", ", parts)[1..] + "."
                : "It introduced itself without fetching anything from here.");
    }

    /// <summary>Nothing is wrong yet, and the end is not reached.</summary>
    public static Finding UnderWay(BootCourse course) => new("under-way", FindingSeverity.Good,
        course.KernelAt is not null ? "The board has fetched its kernel, and starts it." :
        course.Files.Count > 0 ? "The board is fetching its boot files." :
        "The board asks for an address and a boot server.",
        course.Files.Count > 0 ? $"Last: {course.Files[^1].Path}, {course.After(course.Files[^1].At)}."
            : $"{Words.Count(course.Dhcp.Sum(e => e.Count), "DHCP message")} so far.");
}
