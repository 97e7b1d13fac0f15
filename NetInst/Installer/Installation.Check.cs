using System.Globalization;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer;

/// <summary>The checks before the first write.</summary>
public sealed partial class Installation
{
    private const int MaximumSlaveBytes = 64 << 20;

    private async Task FetchManifestAsync(CancellationToken cancellation)
    {
        byte[] json = await store.FetchDocumentAsync("the image's manifest", $"/store/manifests/{order.Image}", cancellation).ConfigureAwait(false);
        SignedManifest? signed;
        try
        {
            signed = JsonSerializer.Deserialize(json, ProtocolJson.Default.SignedManifest);
        }
        catch (JsonException e)
        {
            throw new InstallException($"the image's manifest cannot be read: {e.Message}", mayPass: true);
        }
        string? fault = "it is empty";
        ImageManifest manifest = signed?.Verify(order.Image, trust.Authority, out fault) ?? throw new InstallException($"image {order.Image} is refused: {fault}");
        if (manifest.Chunks is not [{ Index: 0 } first, ..] || first.Ranges[0].Offset != 0)
        {
            throw new InstallException($"image '{manifest.Name}' is refused: it has no partition table");
        }
        // The root file system is the last ext4 one: boot partitions stand before it.
        _root = manifest.Partitions.LastOrDefault(p => p.FileSystem == "ext4") ??
            throw new InstallException($"image '{manifest.Name}' is refused: it has no ext4 partition to configure");
        if (manifest.Partitions.Any(p => p.Start < Mbr.SectorBytes || p.Length <= 0 || p.Start > manifest.SizeBytes - p.Length || p.Start % Mbr.SectorBytes != 0))
        {
            throw new InstallException($"image '{manifest.Name}' is refused: a partition lies outside of it");
        }
        _manifest = manifest;
    }

    private Task ChooseDiskAsync(CancellationToken cancellation)
    {
        Inventory board = machine.ReadInventory();
        if (Manifest.Architecture != board.Architecture)
        {
            throw new InstallException($"image '{Manifest.Name}' is for {Manifest.Architecture}, this board is {board.Architecture}");
        }
        DiskInfo disk = DiskChoice.Choose(board.Disks, order.Disk, Manifest);
        _device = machine.Open(disk);
        if (_device.Size < Manifest.SizeBytes)
        {
            throw new InstallException(DiskChoice.TooSmall(disk.Name, _device.Size, Manifest));
        }
        log(string.Create(CultureInfo.InvariantCulture,
            $"image '{Manifest.Name}' ({Manifest.UsedBytes / 1e6:0} MB in use) goes to {_device.Name} ({_device.Size / 1e9:0.0} GB {disk.Model})"));
        return Task.CompletedTask;
    }

    private async Task FetchSlaveAsync(CancellationToken cancellation)
    {
        Protocol.Link.RemoteFile slave = order.Configuration.Slave;
        if (slave.Length is <= 0 or > MaximumSlaveBytes)
        {
            throw new InstallException($"the Slave program is said to have {slave.Length} bytes: refused");
        }
        byte[] packed = new byte[slave.Length];
        await store.FetchAsync("the Slave program", slave.Path, slave.Digest, packed, cancellation).ConfigureAwait(false);
        try
        {
            using var decoder = new ZstdSharp.Decompressor();
            _slaveProgram = decoder.Unwrap(packed, MaximumSlaveBytes).ToArray();
        }
        catch (ZstdSharp.ZstdException e)
        {
            throw new InstallException($"the Slave program (digest {slave.Digest}) cannot be decoded: {e.Message}");
        }
    }
}
