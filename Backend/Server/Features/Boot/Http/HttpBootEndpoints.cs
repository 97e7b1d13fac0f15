using System.Globalization;
using Bootstrap.Imaging;
using Bootstrap.Imaging.BootSets;
using Bootstrap.Imaging.Disks;
using Bootstrap.Netboot;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Boot.Boards;
using Bootstrap.Server.Features.NetInst;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Boot.Http;

/// <summary>
/// <c>/boot/BOARD/…</c> over plain HTTP, for the HTTP boot of Raspberry Pi EEPROMs: <c>boot.img</c>, a FAT file system with all the boot
/// files of a board, its signature <c>boot.sig</c>, and the single files. BOARD is a serial number, a MAC with dashes, or the name of a
/// boot set. Nothing is redirected: an EEPROM follows no redirection.
/// </summary>
internal static class HttpBootEndpoints
{
    public static void Map(IEndpointRouteBuilder plain) => plain.MapGet("/boot/{board}/{**path}", (
        string board, string path, HttpContext context, BootPlanner planner, BootSetLibrary sets, BoardBootFiles files,
        IServiceProvider services) =>
    {
        if (PlanOf(board, context, planner, sets) is not { FromNetwork: true } plan || !BootPath.TryNormalise(path, out string? name))
        {
            return Results.NotFound();
        }
        try
        {
            switch (name)
            {
                case "boot.img":
                    return new FileResponse(OpenImage(files, plan));
                case "boot.sig":
                    if (services.GetService(typeof(BootSigner)) is not BootSigner signer)
                    {
                        return Problems.NotFound(
                            "This appliance has no key to sign boot images with: start it with --boot-signing-key PEM.");
                    }
                    using (Stream image = OpenImage(files, plan).AsStream())
                    {
                        return Results.Text(signer.Sign(image), "text/plain");
                    }
                default:
                    return files.Find(plan, name) is { } file ? new FileResponse(file) : Results.NotFound();
            }
        }
        catch (ImageException e)
        {
            return Problems.Conflict($"There is no boot.img for {board}: {e.Message}.");
        }
    });

    private static BootPlan? PlanOf(string board, HttpContext context, BootPlanner planner, BootSetLibrary sets)
    {
        if (MacAddress.TryParse(board, out MacAddress mac))
        {
            return planner.For(new BoardClaim(null, mac), null);
        }
        if (board.Length is 8 or 16
            && ulong.TryParse(board, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong serial))
        {
            return planner.For(new BoardClaim((uint)serial, null), null);
        }
        return sets.Find(board) is { } set ? new BootPlan($"the boot set {board}", true, "starts NetInst", set, []) : null;
    }

    private static JoinedBootFile OpenImage(BoardBootFiles files, BootPlan plan)
    {
        var parts = new List<BootFile>();
        try
        {
            var entries = new List<(string Path, long Length)>();
            foreach (string name in files.List(plan))
            {
                if (files.Find(plan, name) is { } file)
                {
                    parts.Add(file);
                    entries.Add((name, file.Length));
                }
            }
            var image = new FatImage("BOOT", entries);
            if (BootLimits.FindBootImageFault(image.Length) is { } fault)
            {
                throw new ImageException(fault);
            }
            return new JoinedBootFile([new MemoryBootFile(image.Tables), .. parts], FatImage.ClusterBytes, image.Length);
        }
        catch
        {
            parts.ForEach(part => part.Dispose());
            throw;
        }
    }
}
