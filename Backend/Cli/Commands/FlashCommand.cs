using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Flash;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Spectre.Console;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap flash</c>: writes the NetInst card or an image to a card in this machine.</summary>
internal static class FlashCommand
{
    private const int PieceBytes = 4 << 20;

    public static Command Create()
    {
        var what = new Argument<string>("what") { Description = "'netinst', or an image's name or digest." };
        var device = new Argument<string>("device") { Description = "The whole card, such as /dev/sdb; or a file to be made." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask; everything on the card is lost." };
        return new Command("flash", "Write NetInst or an image to a card in this machine, and read it back.") { what, device, yes }
            .Does((client, parsed, cancellation) => FlashAsync(
                client, parsed.GetRequiredValue(what), FlashTarget.Open(parsed.GetRequiredValue(device)), parsed.GetValue(yes),
                cancellation));
    }

    private static async Task<int> FlashAsync(ApplianceClient client, string what, FlashTarget target, bool yes,
        CancellationToken cancellation)
    {
        // Everything is known and checked before the card is opened for writing.
        ImageManifest? manifest = what == "netinst" ? null : await FetchManifestAsync(client, what, cancellation);
        if (manifest is not null)
        {
            RefuseTooSmall(target, manifest.SizeBytes);
        }
        string content = manifest is null ? "NetInst of this appliance" : $"image '{manifest.Name}'";
        Console.WriteLine($"{target.Path} ({target.Description}) gets {content}; everything on it is lost.");
        if (!yes && !Confirm(target))
        {
            throw new CliException("nothing was written");
        }
        using var writer = new FlashWriter(target);
        await Output.Beside.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(),
            new TransferSpeedColumn())
            .StartAsync(async progress =>
            {
                ProgressTask writing = progress.AddTask("writing"), verifying = progress.AddTask("reading back", autoStart: false);
                if (manifest is null)
                {
                    await WriteCardAsync(client, target, writer, writing, cancellation);
                }
                else
                {
                    await WriteImageAsync(client, manifest, writer, writing, cancellation);
                }
                verifying.MaxValue = writer.BytesWritten;
                verifying.StartTask();
                writer.Verify(done => verifying.Value = done);
            });
        Console.WriteLine($"{target.Path} is ready: {Output.Bytes(writer.BytesWritten)} were written and read back.");
        return 0;
    }

    private static async Task<ImageManifest> FetchManifestAsync(ApplianceClient client, string image, CancellationToken cancellation)
    {
        Image found = await client.GetAsync<Image>($"images/{Uri.EscapeDataString(image)}", cancellation);
        SignedManifest signed = await client.GetAsync<SignedManifest>($"store/manifests/{found.Digest}", cancellation);
        using X509Certificate2 authority = client.Authority;
        return signed.Verify(Digest.Parse(found.Digest), authority, out string? fault)
            ?? throw new CliException($"image '{image}' cannot be trusted: {fault}");
    }

    private static async Task WriteImageAsync(ApplianceClient client, ImageManifest manifest, FlashWriter writer, ProgressTask progress,
        CancellationToken cancellation)
    {
        progress.MaxValue = manifest.UsedBytes;
        writer.SetLength(manifest.SizeBytes);
        using var decoder = new ZstdSharp.Decompressor();
        byte[] payload = new byte[manifest.ChunkSize];
        foreach (ImageChunk chunk in manifest.Chunks)
        {
            byte[] stored = new byte[chunk.StoredLength];
            await client.DownloadAsync($"store/chunks/{chunk.StoredDigest}",
                (body, _) => body.ReadExactlyAsync(stored, cancellation).AsTask(), cancellation);
            if (Digest.Of(stored) != chunk.StoredDigest || decoder.Unwrap(stored, payload) != chunk.Length)
            {
                throw new CliException(
                    $"chunk {chunk.Index} of image '{manifest.Name}' is damaged in the appliance's store: import the image again");
            }
            int at = 0;
            foreach (ChunkRange range in chunk.Ranges)
            {
                writer.Write((long)chunk.Index * manifest.ChunkSize + range.Offset, payload.AsSpan(at, range.Length));
                at += range.Length;
            }
            progress.Increment(chunk.Length);
        }
    }

    private static Task WriteCardAsync(ApplianceClient client, FlashTarget target, FlashWriter writer, ProgressTask progress,
        CancellationToken cancellation) =>
        client.DownloadAsync("netinst-card/arm64", async (body, length) =>
        {
            RefuseTooSmall(target, length ?? 0);
            progress.MaxValue = length ?? 1;
            byte[] piece = new byte[PieceBytes];
            for (long offset = 0; await body.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false,
                cancellation) is > 0 and var count; offset += count)
            {
                writer.Write(offset, piece.AsSpan(0, count));
                progress.Increment(count);
            }
        }, cancellation);

    private static void RefuseTooSmall(FlashTarget target, long needed)
    {
        if (target.SizeBytes < needed)
        {
            throw new CliException(
                $"{target.Path} has {Output.Bytes(target.SizeBytes.Value)}, {Output.Bytes(needed)} are needed: nothing was written");
        }
    }

    private static bool Confirm(FlashTarget target)
    {
        Console.Write($"Type {target.Path} to go on: ");
        return Console.ReadLine()?.Trim() == target.Path;
    }
}
