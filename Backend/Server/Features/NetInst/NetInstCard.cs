using System.Globalization;
using Bootstrap.Netboot;
using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.NetInst;

/// <summary>
/// The image of a card that starts NetInst, for boards without network boot. It is the card that came with the program, with this
/// appliance's part in the slot that ends its initramfs, by which boards join.
/// </summary>
internal sealed class NetInstCard : BootFile
{
    private readonly DiskBootFile _card;
    private readonly long _slotAt;
    private readonly byte[] _slot;

    private NetInstCard(DiskBootFile card, long slotAt, byte[] slot) => (_card, _slotAt, _slot) = (card, slotAt, slot);

    /// <summary>Of the card that came with the program.</summary>
    public string Path => _card.Path;

    public override long Length => _card.Length;

    /// <summary>Opens a card; null: this appliance has none for that architecture.</summary>
    public static NetInstCard? Open(string architecture, IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options)
    {
        string path = System.IO.Path.Combine(options.ShareFolder, "netinst", architecture, "card.img");
        if (!netInst.TryGetValue(architecture, out NetInstFiles? files) || !File.Exists(path))
        {
            return null;
        }
        // Where the slot is, and how long.
        long[] place = [.. File.ReadAllText(path + ".slot").Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
        // The appliance's archive and zeros behind it, which the kernel skips.
        byte[] slot = new byte[place[1]];
        files.Personal.CopyTo(slot, 0);
        return new NetInstCard(new DiskBootFile(path), place[0], slot);
    }

    /// <summary><c>GET /netinst-card/{architecture}</c>.</summary>
    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/netinst-card/{architecture}", (
        string architecture, IReadOnlyDictionary<string, NetInstFiles> netInst, ApplianceOptions options) =>
        Open(architecture, netInst, options) is { } card ? new FileResponse(card)
            : Problems.NotFound($"This appliance has no NetInst card for {architecture}."))
        .Needs(Role.Operator);

    public override int ReadAt(long offset, Span<byte> buffer)
    {
        int read = _card.ReadAt(offset, buffer);
        long first = Math.Max(offset, _slotAt), behind = Math.Min(offset + read, _slotAt + _slot.Length);
        if (first < behind)
        {
            _slot.AsSpan((int)(first - _slotAt), (int)(behind - first)).CopyTo(buffer[(int)(first - offset)..]);
        }
        return read;
    }

    public override void Dispose()
    {
        _card.Dispose();
        base.Dispose();
    }
}
