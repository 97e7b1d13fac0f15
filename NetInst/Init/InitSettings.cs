using Bootstrap.Board;
using Bootstrap.Init.Network;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Init;

/// <summary>
/// What the kernel arguments say: <c>bootstrap.backend=ADDRESS[,ADDRESS]</c>, <c>bootstrap.mesh=NAME</c>,
/// <c>bootstrap.dry-run</c> and <c>ip=ADDRESS/PREFIX[,GATEWAY]</c>. They go before what came with the initramfs.
/// </summary>
public sealed record InitSettings(IReadOnlyList<string> Backends, string Mesh, bool DryRun, Lease? Static)
{
    /// <param name="log">Told of arguments that cannot be understood.</param>
    public static InitSettings Read(KernelArguments arguments, NodeSettings settings, Action<string> log)
    {
        string[] named = arguments.Value("bootstrap.backend")?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
        string? ip = arguments.Value("ip");
        if (!StaticAddress.TryParse(ip, out Lease? given) && ip is not (null or "dhcp"))
        {
            log($"kernel argument ip={ip} is not ADDRESS/PREFIX[,GATEWAY]: using DHCP");
        }
        return new InitSettings([.. named, .. settings.Backends], arguments.Value("bootstrap.mesh") ?? settings.Mesh,
            arguments.Has("bootstrap.dry-run"), given);
    }
}
