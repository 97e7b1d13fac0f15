using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Boot;

/// <summary>NetInst and the nodes' programs over plain HTTP.</summary>
internal static class BootEndpoints
{
    public static void MapBootFiles(this IEndpointRouteBuilder plain, IReadOnlyDictionary<string, NetInstFiles> netInst)
    {
        foreach (NetInstFiles files in netInst.Values)
        {
            foreach (ServedFile? file in new[] { files.Kernel, files.Initramfs, files.Slave })
            {
                if (file is not null)
                {
                    plain.MapGet(file.Remote.Path, () => Results.File(file.FilePath, "application/octet-stream", enableRangeProcessing: true));
                }
            }
        }
    }
}
