using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Commands;

/// <summary>Brings packages up to date.</summary>
/// <param name="system">The machine.</param>
/// <param name="clock">Times the wait for a lock.</param>
internal sealed class UpdateWork(NodeSystem system, TimeProvider clock)
{
    private static readonly TimeSpan s_lockPause = TimeSpan.FromSeconds(3);

    /// <summary>Waits until the package manager is free, refreshes, upgrades, and tells whether a restart is needed.</summary>
    public Task<TaskEnded> DoAsync(UpdateOrder order, WorkContext context)
    {
        string[] before = Kernels();
        return DoAsync("upgrade", manager => order.Packages.Count == 0 ? manager.Upgrade : manager.UpgradeSome, order.Packages,
            () => IsRestartNeeded(before) ? "a restart is needed" : "", context);
    }

    /// <summary>Waits until the package manager is free, refreshes, and installs these packages.</summary>
    public Task<TaskEnded> InstallAsync(IReadOnlyList<string> packages, WorkContext context) =>
        DoAsync("install", manager => manager.Install, packages, () => "", context);

    private async Task<TaskEnded> DoAsync(
        string what, Func<PackageManager, string[]> arguments, IReadOnlyList<string> packages, Func<string> note, WorkContext context)
    {
        if (PackageManager.Find(system) is not var (manager, file))
        {
            return context.End($"this node has no package manager that is known here ({PackageManager.Names})");
        }
        context.Phase("refresh");
        CommandEnd end = await WhenFreeAsync(manager, manager.Command(file, manager.Refresh, []), context).ConfigureAwait(false);
        if (end is not { ExitCode: 0, TimedOut: false })
        {
            return context.End($"{manager.Program} (refresh)", end);
        }
        context.Phase(what);
        end = await WhenFreeAsync(manager, manager.Command(file, arguments(manager), packages), context).ConfigureAwait(false);
        return context.End($"{manager.Program} ({what})", end, note());
    }

    private async Task<CommandEnd> WhenFreeAsync(PackageManager manager, Command command, WorkContext context)
    {
        while (true)
        {
            bool isBusy = false;
            CommandEnd end = await context.Runner.RunAsync(command, context.Cancellation, line =>
                isBusy |= line.Contains(manager.Busy, StringComparison.Ordinal)).ConfigureAwait(false);
            if (end is { TimedOut: true } or { ExitCode: 0 } || !isBusy)
            {
                return end;
            }
            context.Line($"{manager.Program} is in use: trying again in {s_lockPause.TotalSeconds:0} s");
            await Task.Delay(s_lockPause, clock, context.Cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Debian's and Ubuntu's sign; or there are other kernels than before, or the running one's modules are gone.</summary>
    private bool IsRestartNeeded(string[] before)
    {
        string[] kernels = Kernels();
        string release = Path.Combine(system.Root, "proc/sys/kernel/osrelease");
        bool isGone = kernels.Length > 0 && File.Exists(release) && !kernels.Contains(File.ReadAllText(release).Trim());
        return File.Exists(Path.Combine(system.Root, "run/reboot-required")) || isGone || kernels.Except(before).Any();
    }

    /// <summary>Releases of the kernels that are installed.</summary>
    private string[] Kernels()
    {
        string folder = Path.Combine(system.Root, "lib/modules");
        return Directory.Exists(folder) ? [.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)!)] : [];
    }
}
