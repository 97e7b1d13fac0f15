using System.Text;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Slots;

/// <summary>
/// What takes a machine back to its old slot when the new one does not do: the Slave that finds no appliance (<see cref="TrialWatch"/>), a
/// timer of systemd for a Slave that does not start, the hardware's watchdog for a system that hangs, and the kernel's own restart after a
/// panic. All of it lies in the new slot alone, hangs on one file, and goes when the slot is committed.
/// </summary>
internal static class SlotTrial
{
    private const string Unit = "bootstrap-slot-return";
    private const string Units = "/etc/systemd/system", Wanted = $"{Units}/timers.target.wants/{Unit}.timer",
        Watchdog = "/etc/systemd/system.conf.d/bootstrap-slot-trial.conf";

    private const string Mark = $"{NodeFiles.Directory}/{NodeFiles.SlotTrial}";

    // Octal 0600, 0644.
    private const int OwnerFile = 0x180, PublicFile = 0x1a4;

    private const string Timer = $"""
        [Unit]
        Description=Goes back to the system that the node had before, unless its appliance has taken this one for good
        ConditionPathExists={Mark}

        [Timer]
        OnBootSec=15min

        """;

    private const string Service = $"""
        [Unit]
        Description=Restarts into the system that the node had before
        ConditionPathExists={Mark}

        [Service]
        Type=oneshot
        ExecStart=/bin/systemctl --no-block reboot

        """;

    // The watchdog of a Raspberry Pi counts 15 seconds at most (drivers/watchdog/bcm2835_wdt.c of Linux).
    private const string WatchdogSettings = """
        [Manager]
        RuntimeWatchdogSec=15
        RebootWatchdogSec=5min

        """;

    /// <summary>Whether this machine's system is on trial.</summary>
    /// <param name="config">Folder of <see cref="NodeFiles"/>.</param>
    public static bool IsOn(string config) => File.Exists(Path.Combine(config, NodeFiles.SlotTrial));

    /// <summary>Puts a system on trial that has not been started yet.</summary>
    /// <param name="armed">Files of its boot partition of which the commit takes back what was added.</param>
    public static void Arm(RootedFolder root, IReadOnlyList<string> armed)
    {
        Write(Watchdog, WatchdogSettings, PublicFile);
        Write($"{Units}/{Unit}.service", Service, PublicFile);
        Write($"{Units}/{Unit}.timer", Timer, PublicFile);
        root.MakeFolder(Path.GetDirectoryName(Wanted)!, 0x1ed);
        root.Link(Wanted, $"{Units}/{Unit}.timer");
        Write(Mark, string.Concat(armed.Select(file => file + '\n')), OwnerFile);

        void Write(string path, string text, int mode) => root.WriteFile(path, Encoding.UTF8.GetBytes(text), mode);
    }

    /// <summary>Sees that a trial can be ended, before the firmware is told of it.</summary>
    /// <param name="root">"/" but in tests.</param>
    /// <param name="boot">Its boot partition, mounted.</param>
    /// <exception cref="IOException">A file that has to change cannot be written.</exception>
    public static void Check(string root, string boot)
    {
        string mark = MarkIn(root);
        foreach (string file in Armed(mark).Select(file => boot + file).Append(mark).Where(File.Exists))
        {
            new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0).Dispose();
        }
    }

    /// <summary>Ends the trial of the running system, in its favour. Doing it again changes nothing.</summary>
    /// <param name="root">"/" but in tests.</param>
    /// <param name="boot">Its boot partition, mounted.</param>
    public static void End(string root, string boot)
    {
        string mark = MarkIn(root);
        foreach (string file in Armed(mark))
        {
            SlotFiles.Disarm(boot + file);
        }
        // Whatever hangs on the mark does nothing any more, once it has gone.
        File.Delete(mark);
        foreach (string file in new[] { Wanted, $"{Units}/{Unit}.timer", $"{Units}/{Unit}.service", Watchdog })
        {
            File.Delete(root.TrimEnd('/') + file);
        }
        Linux.Sync();
    }

    private static string MarkIn(string root) => root.TrimEnd('/') + Mark;

    private static string[] Armed(string mark) => File.Exists(mark) ? File.ReadAllLines(mark) : [];
}
