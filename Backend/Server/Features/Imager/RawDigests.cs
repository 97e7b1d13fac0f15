using System.Security.Cryptography;
using Bootstrap.Imaging.Store;
using Bootstrap.Netboot;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Imager;

/// <summary>Works out the SHA-256 of each image for boards as one raw file, once, beside everything else: Imager writes nothing without
/// it.</summary>
internal sealed partial class RawDigests(Database database, ImageStore store, DataDisk disk, TimeProvider clock,
    ILogger<RawDigests> logger) : BackgroundService
{
    /// <summary>Raspberry Pi Imager writes cards for these.</summary>
    public const string Architecture = "arm64";

    private const int BlockBytes = 4 << 20;

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(2);

    /// <summary>An image that could not be read for the disk's sake is read again after this.</summary>
    private static readonly TimeSpan s_again = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, long> _unreadable = [];

    /// <summary>SHA-256 of a file of any length.</summary>
    public static string Of(BootFile file, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockBytes];
        for (long at = 0; at < file.Length;)
        {
            cancellation.ThrowIfCancellationRequested();
            int read = file.ReadAt(at, block);
            hash.AppendData(block, 0, read);
            at += read;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(s_look, clock);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (disk.Condition != DiskCondition.Good)
                {
                    continue; // the result could not be kept
                }
                IReadOnlyList<string> images = [];
                disk.Try(() => images = database.Read(c => ImageCatalogue.WithoutRawDigest(c, Architecture)));
                foreach (string image in images.Where(i => !_unreadable.TryGetValue(i, out long at) || clock.GetElapsedTime(at) > s_again))
                {
                    await Task.Run(() => Note(image, stoppingToken), stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The appliance stops; it begins anew with this one.
        }
    }

    private void Note(string image, CancellationToken cancellation)
    {
        string digest = "";
        try
        {
            if (store.ReadImage(Digest.Parse(image)) is { } manifest)
            {
                using var file = new StoredImageFile(store, manifest);
                digest = Of(file, cancellation);
            }
        }
        catch (IOException e) when (disk.Note(e))
        {
            _unreadable[image] = clock.GetTimestamp(); // of the image nothing is known yet
            return;
        }
        catch (IOException e)
        {
            // Not asked again: nodes are told of the damage when they fetch it, and an image that is imported again is looked at again.
            LogDamaged(image, e.Message);
        }
        disk.Try(() => database.Write(c => ImageCatalogue.SetRawDigest(c, image, digest)));
    }

    [LoggerMessage(LogLevel.Warning, "Image {Image} is not offered to Raspberry Pi Imager: {Reason}")]
    private partial void LogDamaged(string image, string reason);
}
