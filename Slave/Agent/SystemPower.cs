using System.Diagnostics;
using Bootstrap.Board;

namespace Bootstrap.Agent;

/// <summary>Restarts the machine or switches it off: by systemd where it runs, else directly.</summary>
public interface ISystemPower
{
    void Restart(StagedStart start);

    void PowerOff();
}

/// <summary>The real one. Returns while the system shuts down.</summary>
public sealed class SystemPower : ISystemPower
{
    /// <summary>Added to the number of the signal that ended a process.</summary>
    private const int SignalExit = 128;

    public void Restart(StagedStart start)
    {
        switch (start)
        {
            case StagedStart.Kexec:
                Do(["kexec"], Linux.RebootKexec);
                break;
            case StagedStart.TryBoot:
                // Flags in quotes as the firmware's documentation has them: reboot '0 tryboot'.
                Do(["reboot", "--reboot-argument=0 tryboot"], Linux.RebootRestart);
                break;
            default:
                Do(["reboot"], Linux.RebootRestart);
                break;
        }
    }

    public void PowerOff() => Do(["poweroff"], Linux.RebootPowerOff);

    /// <summary>
    /// Whether the machine is on its way down, by how systemctl ended. What is shut down first is this service, with all its processes:
    /// systemctl itself is ended by that where the machine is quicker than it. To restart the machine beside systemd would then lose what
    /// is still to be written, and which system is to be tried.
    /// </summary>
    internal static bool HasBegun(int exitCode) => exitCode is 0 or SignalExit + Linux.SIGTERM;

    private static void Do(string[] arguments, int command)
    {
        // The test of sd_booted(3).
        if (Directory.Exists("/run/systemd/system"))
        {
            using Process systemctl = Process.Start("systemctl", ["--no-block", .. arguments]);
            systemctl.WaitForExit();
            if (HasBegun(systemctl.ExitCode))
            {
                return;
            }
        }
        Linux.Sync();
        Linux.Check(Linux.Reboot(command), "restarting the machine");
    }
}
