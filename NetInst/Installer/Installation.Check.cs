using System.Globalization;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer;

/// <summary>The checks before the first write.</summary>
public sealed partial class Installation
{
    private async Task FetchManifestAsync(CancellationToken cancellation)
    {
        ImageManifest manifest = await _files.FetchManifestAsync(order.Image, trust.Authority, cancellation).ConfigureAwait(false);
        _root = manifest.FindRoot(out string? fault) ?? throw new InstallException($"image '{manifest.Name}' is refused: {fault}");
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
            $"image '{Manifest.Name}' ({Manifest.UsedBytes / 1e6:0} MB in use) goes to {_device.Name} ({_device.Size / 1e9:0.0} GB " +
            $"{disk.Model})"));
        return Task.CompletedTask;
    }

    private async Task FetchSlaveAsync(CancellationToken cancellation) =>
        _slaveProgram = await _files.FetchSlaveAsync(order.Configuration.Slave, cancellation).ConfigureAwait(false);
}
