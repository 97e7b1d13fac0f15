using System.Formats.Tar;
using System.Text.Json;
using ZstdSharp;

namespace Bootstrap.Server.Features.Backups;

/// <summary>Reads backups. Nothing of one is believed before its seal was checked; that it ends where it was ended is known at its
/// end.</summary>
public static class BackupReader
{
    private const string Foreign = "this backup is not as this program writes them";

    /// <summary>Reads a backup to its end, and looks whether all of it is as it was written.</summary>
    /// <param name="file">From its beginning; stays open.</param>
    /// <returns>What it says of itself.</returns>
    /// <exception cref="InvalidDataException">It is no backup, another passphrase's, damaged or cut off; the message says
    /// which.</exception>
    public static Task<BackupDescription> VerifyAsync(Stream file, string passphrase, CancellationToken cancellation) =>
        ReadAsync(file, passphrase, (_, content) => content.CopyToAsync(Stream.Null, cancellation), cancellation);

    /// <summary>Reads a backup to its end.</summary>
    /// <param name="take">Gets each file with its name in the data folder, which was checked, and reads it to its end.</param>
    internal static async Task<BackupDescription> ReadAsync(
        Stream file, string passphrase, Func<string, Stream, Task> take, CancellationToken cancellation)
    {
        await using AgeReader opened = await Task.Run(() => AgeReader.Open(file, passphrase), cancellation);
        await using var archive = new DecompressionStream(opened, leaveOpen: true);
        await using var tar = new TarReader(archive, leaveOpen: true);
        try
        {
            BackupDescription description = await DescriptionOf(await NextAsync(tar, cancellation), cancellation);
            while (await NextAsync(tar, cancellation) is { } entry)
            {
                if (entry.EntryType != TarEntryType.RegularFile || !BackupContents.MayBe(entry.Name))
                {
                    throw new InvalidDataException($"there is '{Protocol.PlainText.Line(entry.Name)}' in this backup, which no backup has");
                }
                await using Stream content = entry.DataStream ?? new MemoryStream();
                if (BackupContents.DigestOf(entry.Name) is { } digest)
                {
                    await using var proven = new ProvenStream(content, digest, entry.Name);
                    await take(entry.Name, proven);
                }
                else
                {
                    await take(entry.Name, content);
                }
            }
            // What the archive's end does not tell: that the file goes on to its own.
            await archive.CopyToAsync(Stream.Null, cancellation);
            await opened.CopyToAsync(Stream.Null, cancellation);
            return description;
        }
        catch (Exception e) when (e is ZstdException or FormatException or EndOfStreamException or JsonException)
        {
            throw new InvalidDataException(Foreign, e);
        }
    }

    private static async Task<TarEntry?> NextAsync(TarReader tar, CancellationToken cancellation)
    {
        try
        {
            return await tar.GetNextEntryAsync(copyData: false, cancellation);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or OverflowException) // of sizes that cannot be
        {
            throw new InvalidDataException(Foreign, e);
        }
    }

    private static async Task<BackupDescription> DescriptionOf(TarEntry? entry, CancellationToken cancellation)
    {
        if (entry is not { Name: BackupContents.Description, DataStream: { } content, Length: <= BackupContents.LargestDescription }
            || await JsonSerializer.DeserializeAsync<BackupDescription>(content, ApiJson.Options, cancellation) is not { } description)
        {
            throw new InvalidDataException("this file does not say that it is a backup");
        }
        return description.Version <= BackupDescription.Newest
            ? description
            : throw new InvalidDataException($"this backup is of version {description.Version}, this program knows " +
                $"{BackupDescription.Newest}: use a newer one");
    }
}
