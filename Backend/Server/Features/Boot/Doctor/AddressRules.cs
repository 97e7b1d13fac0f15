using System.Net;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>What can go wrong before the first file: DHCP, and who answers it.</summary>
internal static class AddressRules
{
    /// <summary>An EEPROM asks again after 4 s, a Pi 3's ROM after 5 s: who has not gone on after this long does not.</summary>
    private static readonly TimeSpan s_silenceLimit = TimeSpan.FromSeconds(30);

    /// <summary>From its address to its first file a board takes less.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    /// <summary>A switch's port that runs spanning tree forwards nothing for 30 s (IEEE 802.1D: twice the forward delay of 15 s).</summary>
    private const int PortDelaySeconds = 20;

    /// <summary>Full mode: the board took another server's offer.</summary>
    public static Finding? RivalChosen(BootCourse course) =>
        course.Facts.Dhcp == DhcpMode.Full && course.Files.Count == 0 &&
        course.Dhcp.FirstOrDefault(e => e is { Asked: DhcpMessageType.Request, ChosenServer: not null }
            && e.ChosenServer != e.Server) is { } taken
            ? new Finding("rival-server", FindingSeverity.Fault,
                $"Another DHCP server, {taken.ChosenServer}, gave the board its address, and the board looks for its boot files there.",
                $"{course.After(taken.At)} its REQUEST named {taken.ChosenServer}; this appliance is {taken.Server}.",
                (course.Relay is { } relay ? $"See that the relay {relay} passes the board's messages to this appliance alone"
                    : $"Switch off the DHCP server at {taken.ChosenServer} on this network") +
                    ", or choose proxy mode on the settings page, to work beside it.")
            : null;

    /// <summary>The board is to boot its own disk, and asks the network first.</summary>
    public static Finding? LeftAlone(BootCourse course) =>
        course.IsLeftAlone
            ? new Finding("left-alone", FindingSeverity.Notice,
                "The board has an installed system and no order to install another: it is left to boot its own disk.",
                course.Files.LastOrDefault(f => f.IsLeftAlone) is { } script
                    ? $"{script.Path}, {course.After(script.At)}, told it so."
                    : $"{Words.Count(course.Dhcp.Where(e => e.IsLeftAlone).Sum(e => e.Count), "DHCP message")} left without boot " +
                        "information.",
                "Nothing, if it comes up. If its card was taken out or cannot be read it keeps asking: after a minute and a half NetInst " +
                    "is started on it. " +
                "To install it again, order that on the page or with `bootstrap install`.")
            : null;

    /// <summary>The board says to be something that there are no boot files for.</summary>
    public static Finding? Unserved(BootCourse course)
    {
        if (course.Files.Count > 0 || course.Dhcp.LastOrDefault() is not { Client: BootClientKind.Unserved } asked)
        {
            return null;
        }
        string number = asked.Architecture is { } told ? $"names architecture {told}" : "has no architecture";
        return new Finding("unserved-architecture", FindingSeverity.Fault,
            $"The board asks as {Words.Architecture(asked.Architecture)}, and there is nothing here for it.",
            $"{Words.Count(course.Dhcp.Sum(e => e.Count), "DHCP message")} on {asked.Interface}; the last one {number} (option 93).",
            "Choose another network boot in the board's firmware, if it has one: PXE of a BIOS, PXE or HTTP boot of 64-bit UEFI on x86 " +
                "and Arm, 64-bit U-Boot and Raspberry Pis are served. Or start NetInst from a card.");
    }

    /// <summary>The board asked and was told nothing.</summary>
    public static Finding? NoAnswer(BootCourse course)
    {
        DhcpEvent[] asked = [.. course.Dhcp.Where(e => e.Asked == DhcpMessageType.Discover)];
        if (asked.Length == 0 || asked.Any(e => e.Answered is not null) || course.Files.Count > 0 || course.IsLeftAlone
            || Unserved(course) is not null)
        {
            return null;
        }
        string evidence = $"{Words.Count(asked.Sum(e => e.Count), "DISCOVER")} on {asked[0].Interface}, no answer from here.";
        return asked.FirstOrDefault(e => e.LacksPool) is { } strange
            ? new Finding("no-pool", FindingSeverity.Fault,
                $"The board asks {(strange.Relay is { } relay ? $"through the relay {relay}" : $"on {strange.Interface}")}, and there is " +
                    "no DHCP pool for that subnet.",
                evidence, "Name a pool of that subnet on the settings page.")
            : new Finding("no-address-left", FindingSeverity.Fault,
                "There was no address to offer to the board: all of the pool are taken, or in use by machines that did not ask here.",
                evidence, "Make the pool larger on the settings page, or shorten the lease time so that addresses of boards that are " +
                    "gone come back.");
    }

    /// <summary>The mask ROM of a Pi 3 does not speak to other subnets, whatever router it is told (raspberrypi/documentation,
    /// boot-net).</summary>
    public static Finding? Pi3RomBehindRouter(BootCourse course)
    {
        if (course.Files.Count > 0)
        {
            return null;
        }
        DhcpEvent[] rom = [.. course.Dhcp.Where(e => e.IsPi3Rom)];
        string? evidence =
            rom.FirstOrDefault(e => e.Relay is not null) is { } relayed ? $"Its messages came through the relay {relayed.Relay}." :
            rom.FirstOrDefault(e => IPAddress.TryParse(e.Address, out IPAddress? address) && course.Facts.Subnets.Count > 0 &&
                !course.Facts.Subnets.Any(s => s.Contains(address))) is { } far
                    ? $"Its address {far.Address} is in none of this appliance's subnets ({string.Join(", ", course.Facts.Subnets)})."
                    : null;
        return evidence is null ? null : new Finding("pi3-other-subnet", FindingSeverity.Fault,
            "The board is on another subnet than this appliance, and the boot ROM of a Raspberry Pi 3 boots from its own subnet alone.",
            evidence,
            "Put the board and the appliance on one subnet, or give the board a card that holds bootcode.bin alone: that program knows " +
                "routers.");
    }

    /// <summary>Proxy mode: nobody else gives the board an address.</summary>
    public static Finding? NoAddress(BootCourse course) =>
        // A Pi 3's ROM never sends a REQUEST, so its silence says nothing.
        course.Facts.Dhcp == DhcpMode.Proxy && Unserved(course) is null && course.Files.Count == 0 && HasWaited(course)
            && !course.Dhcp.Any(e => e.IsPi3Rom || e.IsLeftAlone) &&
        course.Dhcp.Count > 0 && course.Dhcp.All(e => e.Asked == DhcpMessageType.Discover && e.Address is null)
            ? new Finding("no-address", FindingSeverity.Fault,
                "The board was told where its boot files are, but no DHCP server gave it an address.",
                $"{Words.Count(course.Dhcp.Sum(e => e.Count), "DISCOVER")} in " +
                    $"{Words.Seconds(course.Dhcp[^1].Until - course.Dhcp[0].At)}, each answered from here, and no REQUEST for an address.",
                "In proxy mode another DHCP server must give addresses: " + (course.Relay is { } relay
                    ? $"see that the relay {relay} passes the board's messages on to that server too, and that it has addresses of the " +
                        "relay's subnet."
                    : "see that one answers on this network, or choose full mode on the settings page if there is none."))
            : null;

    /// <summary>An offer was made, and nothing was fetched.</summary>
    public static Finding? NoFileRequest(BootCourse course)
    {
        if (course.Files.Count > 0 || !HasWaited(course) || RivalChosen(course) is not null || Unserved(course) is not null ||
            NoAddress(course) is not null ||
            course.IsLeftAlone || Pi3RomBehindRouter(course) is not null
                || course.Dhcp.LastOrDefault(e => e.Answered is not null) is not { } answered)
        {
            return null;
        }
        if (!course.Facts.ServesTftp && answered.Client is not (BootClientKind.UefiHttpX64 or BootClientKind.UefiHttpArm64))
        {
            return new Finding("tftp-off", FindingSeverity.Fault,
                "The board was told to fetch its files by TFTP, which this appliance does not serve.",
                $"{course.After(answered.At)} it was answered; TFTP is off or could not be started.",
                "Start the appliance with TFTP: its log says why it has none.");
        }
        DhcpEvent? elsewhere = course.Dhcp.LastOrDefault(e => e.ChosenServer is not null && e.ChosenServer != e.Server);
        return new Finding("no-file-request", FindingSeverity.Fault,
            "The board was told where its boot files are, and asked for none: its requests do not arrive, or it follows another boot " +
                "server.",
            $"Answered {course.After(answered.At)} from {answered.Server}; no request for a file in the " +
                $"{Words.Seconds(course.Now - answered.Until)} since." +
                (elsewhere is null ? "" : $" Its address is from the server {elsewhere.ChosenServer}."),
            "Let UDP port 69 and the high UDP ports of this appliance through every firewall between, see that " +
                (course.Relay is { } relay
                    ? $"the board's address has a router (option 3), and that router and this appliance have a route to each other's " +
                        $"subnet (the board asks through the relay {relay})"
                    : "board and appliance are in one VLAN") +
                (elsewhere is null ? ", and that no other DHCP server there names a boot server."
                    : $", and that {elsewhere.ChosenServer} names no boot server of its own (options 43, 66, next-server)."));
    }

    /// <summary>The first messages were lost: the switch's port was not forwarding yet.</summary>
    public static Finding? SpanningTree(BootCourse course)
    {
        if (course.Dhcp.Count == 0 || course.Files.Count == 0)
        {
            return null;
        }
        DhcpEvent first = course.Dhcp[0];
        long onward = course.Conversation.Events.First(e => e is FileEvent or DhcpEvent { Asked: DhcpMessageType.Request }).At;
        int tries = course.Dhcp.Where(e => e.Asked == DhcpMessageType.Discover && e.At <= onward).Sum(e => e.Count);
        long waited = onward - first.At + 1000L * first.Seconds;
        // Two tries may be two programs (a Pi 3's ROM and its bootcode.bin): then the first fetched a file in between.
        return waited >= 1000 * PortDelaySeconds && (tries > 1 || first.Seconds >= PortDelaySeconds)
            ? new Finding("spanning-tree", FindingSeverity.Warning,
                $"It took {Words.Seconds(waited)} until the board got through to a DHCP server: most likely the switch's port was still " +
                    "waiting for spanning tree.",
                $"{Words.Count(tries, "DISCOVER")} before the board went on" + (first.Seconds > 0
                    ? $", the first one {first.Seconds} s after it began to ask." : "."),
                "Set the switch's ports for boards to edge ports (\"portfast\"), or switch spanning tree off there. An EEPROM gives up " +
                    "after 45 s (DHCP_TIMEOUT).")
            : null;
    }

    private static bool HasWaited(BootCourse course) =>
        course.Dhcp.Count > 0 && course.Now - course.Dhcp[0].At >= s_silenceLimit.TotalMilliseconds &&
        (course.Dhcp[^1].Asked == DhcpMessageType.Discover || course.Silence >= s_pause);
}
