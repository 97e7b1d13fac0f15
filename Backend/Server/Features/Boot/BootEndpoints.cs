using System.Net;
using Bootstrap.Netboot;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Boot;

/// <summary>NetInst, boot files and the nodes' programs over plain HTTP.</summary>
internal static class BootEndpoints
{
    // The EFI stub takes the initramfs by the name that the command line gives.
    private const string IpxeScript = """
        #!ipxe
        iseq ${{buildarch}} arm64 && set architecture arm64 || set architecture amd64
        iseq ${{architecture}} arm64 && set serial ttyAMA0 || set serial ttyS0
        kernel http://{0}/netinst/${{architecture}}/kernel initrd=initramfs console=tty0 console=${{serial}},115200 panic=30 || goto failed
        initrd --name initramfs http://{0}/netinst/${{architecture}}/initramfs || goto failed
        boot
        :failed
        echo NetInst could not be fetched from {0}; trying again in 10 seconds
        sleep 10
        chain http://{0}/boot/ipxe

        """;

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
        plain.MapGet("/boot/ipxe", (HttpContext context) => Results.Text(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, IpxeScript,
                new IPEndPoint(context.Connection.LocalIpAddress!.MapToIPv4(), context.Connection.LocalPort)), "text/plain"));
        plain.MapGet("/boot/files/{**path}", (string path, HttpContext context, IBootFiles files) =>
        {
            var client = new BootClient(context.Connection.RemoteIpAddress!, null);
            return BootPath.TryNormalise(path, out string? name) && files.Find(client, name) is { } file
                ? Results.Stream(file.AsStream(), "application/octet-stream", enableRangeProcessing: true)
                : Results.NotFound();
        });
    }
}
