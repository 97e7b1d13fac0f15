using System.Net;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot;
using Bootstrap.Server.Features.Boot.Sets;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>Writes the order that a node gets for a task, from what is known at that moment.</summary>
internal sealed class OrderComposer(
    Database database, PolicyStore policy, IReadOnlyDictionary<string, NetInstFiles> netInst, BootSetLibrary sets, ApplianceOptions options)
{
    /// <summary>Kernel arguments of a staged NetInst: a panic restarts the board, which then starts its old system.</summary>
    private const string StagedCommandLine = "panic=10";

    /// <summary>The order, or null and the reason why there can be none.</summary>
    internal TaskOrder? Compose(TaskRow task, LinkSession session, Hello hello, out string fault)
    {
        fault = "";
        switch (task.Kind)
        {
            case "reboot":
                return new RebootOrder();
            case "shutdown":
                return new ShutdownOrder();
        }
        string architecture = hello.Inventory.Architecture;
        if (!netInst.TryGetValue(architecture, out NetInstFiles? files) || files.Slave is not { } slave)
        {
            fault = $"this appliance has no NetInst for {architecture}: build it with `make netinst` and start the appliance again";
            return null;
        }
        NodeRow node = database.Read(c => NodeRow.Find(c, session.Node))!;
        if (hello.Role == NodeRole.Slave)
        {
            (RemoteFile kernel, RemoteFile initramfs) = (node.Revision is { } revision ? sets.Staged(revision) : null) ?? (files.Kernel.Remote, files.Initramfs.Remote);
            return new StageInstallOrder(kernel, initramfs, StagedCommandLine);
        }
        bool mayHoldSomeOfIt = task.Attempts > 0 || node.Lifecycle != Lifecycle.New;
        IPAddress appliance = session.LocalAddress;
        var configuration = new NodeConfiguration(node.Name, policy.Get().AuthorizedKeys, slave.Remote,
            [new IPEndPoint(appliance, options.Link.Port).ToString()], options.Mesh);
        return new InstallOrder(Digest.Parse(task.Image!), null, mayHoldSomeOfIt, configuration);
    }
}
