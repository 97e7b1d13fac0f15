using System.Reflection;
using Bootstrap.Board;
using Bootstrap.Init.Network;
using Bootstrap.Installer;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Init;

/// <summary>The way of a board through NetInst, top to bottom.</summary>
internal static class NetInst
{
    private static readonly TimeSpan s_diskPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_ownDiskPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_deviceLookPeriod = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_restartAfterFault = TimeSpan.FromSeconds(30);

    public static string Version { get; } =
        typeof(NetInst).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Ends by restarting the board, whatever happens: a PID 1 that returns is a kernel panic.</summary>
    public static async Task<int> RunAsync(TimeProvider clock)
    {
        var board = new BoardReader();
        using var console = new BoardConsole("/", () => board.ReadHealth().UptimeSeconds);
        PowerAction end = PowerAction.Reboot;
        try
        {
            console.WriteLine($"Bootstrap NetInst {Version} on {BoardReader.Architecture}");
            end = await InstallAsync(board, console, clock, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (Report(e))
        {
            await Task.Delay(s_restartAfterFault, clock, CancellationToken.None).ConfigureAwait(false);
        }
        console.WriteLine(end == PowerAction.Reboot ? "restarting" : "powering off");
        Power.Do(end);
        return 1;

        bool Report(Exception e)
        {
            console.WriteLine($"FAULT: {e}; restarting in {s_restartAfterFault.TotalSeconds:0} s");
            return true;
        }
    }

    private static async Task<PowerAction> InstallAsync(
        BoardReader board, BoardConsole console, TimeProvider clock, CancellationToken cancellation)
    {
        var modules = new ModuleLoader(console.WriteLine);
        modules.LoadList("/etc/bootstrap/modules");
        modules.LoadForNewDevices();
        Task late = FollowDevicesAsync(modules, clock, cancellation);
        await new StagedConfig(board, console.WriteLine, clock).RestoreAsync(cancellation).ConfigureAwait(false);

        NodeConfig config = NodeConfig.Load(NodeFiles.Directory);
        InitSettings settings = InitSettings.Read(board.ReadKernelArguments(), config.Settings, console.WriteLine);
        // Looked at often while nothing is there: without asking the system for addresses that are not known yet.
        var network = new NetworkSetup(new BoardReader("/", _ => []), settings.Static, console.WriteLine, clock);
        Task networked = network.RunAsync(cancellation);
        await (await Task.WhenAny(network.Up, networked, late).ConfigureAwait(false)).ConfigureAwait(false);
        await DisksAsync(board, clock, cancellation).ConfigureAwait(false);
        LogMemory(board, modules, console);

        Task<PowerAction> session = ServeAsync(board, config, settings, network, console, clock, cancellation);
        await (await Task.WhenAny(session, networked, late).ConfigureAwait(false)).ConfigureAwait(false);
        return await session.ConfigureAwait(false);
    }

    private static async Task<PowerAction> ServeAsync(
        BoardReader board, NodeConfig config, InitSettings settings, NetworkSetup network, BoardConsole console, TimeProvider clock,
        CancellationToken cancellation)
    {
        var machine = new BoardMachine(board);
        var tls = new ApplianceTls(config.Authority);
        var locator = new ApplianceLocator(settings.Mesh, () => [.. settings.Backends, .. network.Hints], clock);
        var enroller = new Enroller(tls, locator, console.WriteLine, clock);
        Task<NodeIdentity> EnrolAsync(NodeIdentity? before, CancellationToken stop) =>
            enroller.EnrolAsync(config.Settings.JoinToken ?? "", machine.ReadInventory, before, stop);
        var search = new IdentitySearch(board.ReadDisks,
            disk => DiskIdentity.FindOn(disk, machine.ReadInventory().Id, config.Authority, console.WriteLine), EnrolAsync, clock);
        // A Slave that staged this NetInst gave it the node's own identity, or said that its disk has it; else a disk may hold it. Where
        // there is none, or it is out of date, the board asks.
        bool isOnDisk = File.Exists(Path.Combine(NodeFiles.Directory, NodeFiles.IdentityOnDisk));
        NodeIdentity identity = NodeIdentity.Load(Path.Combine(NodeFiles.Directory, NodeFiles.Identity)) ??
            await search.NextAsync(null, isOnDisk ? s_ownDiskPatience : TimeSpan.Zero, cancellation).ConfigureAwait(false);
        console.WriteLine($"this board is enrolled as {identity.Name}");

        Session? session = null;
        NodeLink? link = null;
        void Log(string line)
        {
            console.WriteLine(line);
            link?.Outbox.AddLine(session?.CurrentTask, line);
        }

        Hello SayHello() => new(NodeRole.NetInst, Version, board.ReadBootId(), null, machine.ReadInventory(), board.ReadHealth(),
            session?.CurrentTask is { } task ? [task] : []);

        link = new NodeLink(tls, locator, identity, (shown, stop) =>
            search.NextAsync(shown, TimeSpan.Zero, stop), SayHello, board.ReadHealth, Log, clock)
        {
            Accepted = _ => search.End(),
        };
        var runner = new InstallRunner(config.Authority, () => link.Identity, machine, link.Outbox, Log, clock);
        session = new Session(config.Authority, link, runner, new LedBlinker("/", null, clock), settings.DryRun, Log, clock);
        return await session.RunAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>USB devices and cards turn up seconds after the kernel; there is no udev to tell.</summary>
    private static async Task FollowDevicesAsync(ModuleLoader modules, TimeProvider clock, CancellationToken cancellation)
    {
        TimeSpan period = s_deviceLookPeriod;
        while (true)
        {
            await Task.Delay(period, clock, cancellation).ConfigureAwait(false);
            // Looked for often at first and then ever more seldom.
            period = modules.LoadForNewDevices() ? s_deviceLookPeriod : period * 1.2 is var slower && slower < s_diskPatience ? slower
                : s_diskPatience;
        }
    }

    private static async Task DisksAsync(BoardReader board, TimeProvider clock, CancellationToken cancellation)
    {
        long started = clock.GetTimestamp();
        while (board.ReadDisks().Count == 0 && clock.GetElapsedTime(started) < s_diskPatience)
        {
            await Task.Delay(s_deviceLookPeriod, clock, cancellation).ConfigureAwait(false);
        }
    }

    private static void LogMemory(BoardReader board, ModuleLoader modules, BoardConsole console)
    {
        string disks = string.Join(", ", board.ReadDisks().Select(d => $"{d.Name} ({d.SizeBytes / 1e9:0.0} GB)"));
        console.WriteLine($"{modules.Loaded} modules loaded; {Environment.WorkingSet >> 20} MiB of memory in use, " +
            $"{board.ReadHealth().MemoryAvailableBytes >> 20} MiB available; disks: {(disks.Length > 0 ? disks : "none")}");
    }
}
