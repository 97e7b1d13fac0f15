using System.Net;
using Bootstrap.Netboot;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Boot.Boards;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.NetInst;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Boot;

/// <summary>NetInst, boot files and the nodes' programs.</summary>
internal static class BootEndpoints
{
    /// <summary>NetInst and the nodes' programs: nothing in them is secret.</summary>
    public static void MapPrograms(IEndpointRouteBuilder routes, IReadOnlyDictionary<string, NetInstFiles> netInst)
    {
        foreach (NetInstFiles files in netInst.Values)
        {
            foreach (ServedFile? file in new[] { files.Kernel, files.Initramfs, files.Slave })
            {
                if (file is not null)
                {
                    routes.MapGet(file.Remote.Path, () => FileResponse.Of(file.FilePath));
                }
            }
        }
    }

    public static void Map(IEndpointRouteBuilder plain)
    {
        plain.MapGet("/boot/ipxe", (string? mac, string? uuid, HttpContext context, BootPlanner planner) =>
        {
            IPEndPoint server = Listeners.AddressOf(context);
            if (mac is null)
            {
                return Results.Text(BoardTemplates.FirstScript(server), "text/plain");
            }
            var claim = new BoardClaim(null, MacAddress.TryParse(mac, out MacAddress parsed) ? parsed : null,
                Guid.TryParse(uuid, out Guid id) ? id.ToString() : null);
            BootPlan plan = planner.For(claim, Sources.Plain(context.Connection.RemoteIpAddress));
            if (!plan.FromNetwork)
            {
                BootRequests.MarkLeftAlone(context);
            }
            return Results.Text(BoardTemplates.Script(plan, server), "text/plain");
        });
        plain.MapGet("/boot/files/{**path}", (string path, HttpContext context, IBootFiles files) =>
        {
            var client = new BootClient(Sources.Plain(context.Connection.RemoteIpAddress), null);
            return BootPath.TryNormalise(path, out string? name) && files.Find(client, name) is { } file
                ? new FileResponse(file)
                : Results.NotFound();
        });
    }
}
