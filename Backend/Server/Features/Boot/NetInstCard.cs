using System.Globalization;
using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Boot;

/// <summary>
/// <c>GET /netinst-card/{architecture}</c>: the image of a card that starts NetInst, for boards without network boot. It is the card
/// that came with the program, with this appliance's part in the slot that ends its initramfs: boards join by it, so that it is not for all.
/// </summary>
internal static class NetInstCard
{
    private const int CopyBytes = 1 << 20;

    public static void MapNetInstCard(this IEndpointRouteBuilder api) => api.MapGet("/netinst-card/{architecture}", async (
        string architecture, HttpContext context, IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options) =>
    {
        string path = Path.Combine(options.ShareFolder, "netinst", architecture, "card.img");
        if (!netInst.TryGetValue(architecture, out NetInstFiles? files) || !File.Exists(path))
        {
            return Problems.NotFound($"This appliance has no NetInst card for {architecture}.");
        }
        await using FileStream card = File.OpenRead(path);
        (long offset, byte[] slot) = FillSlot(await File.ReadAllTextAsync(path + ".slot", context.RequestAborted), files.Personal);
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = card.Length;
        await CopyAsync(card, offset, context);
        await context.Response.Body.WriteAsync(slot, context.RequestAborted);
        card.Position = offset + slot.Length;
        await CopyAsync(card, card.Length - card.Position, context);
        return Results.Empty;
    }).Needs(Role.Operator);

    /// <summary>The appliance's archive and zeros behind it, which the kernel skips.</summary>
    private static (long Offset, byte[] Slot) FillSlot(string description, byte[] personal)
    {
        long[] numbers = [.. description.Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
        byte[] slot = new byte[numbers[1]];
        personal.CopyTo(slot, 0);
        return (numbers[0], slot);
    }

    private static async Task CopyAsync(FileStream card, long count, HttpContext context)
    {
        byte[] buffer = new byte[CopyBytes];
        for (int read; count > 0; count -= read)
        {
            read = await card.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), context.RequestAborted);
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
        }
    }
}
