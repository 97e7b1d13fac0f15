using System.Formats.Tar;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol.Ids;
using ZstdSharp;

namespace Bootstrap.Server.Features.Backups;

/// <summary>Writes backups.</summary>
public static class BackupWriter
{
    /// <summary>Chunks are compressed already: more than the quickest level is lost on them.</summary>
    private const int Level = 1;

    /// <summary>Writes a backup of a data folder, whether or not an appliance runs on it.</summary>
    /// <param name="file">Gets the backup, in order; stays open.</param>
    /// <param name="images">With the images' bytes.</param>
    /// <param name="now">What the backup says of when it was made.</param>
    /// <returns>What it says of itself.</returns>
    /// <exception cref="InvalidDataException">The folder has no appliance, or something in it is damaged: what was written is no
    /// backup.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static async Task<BackupDescription> WriteAsync(
        string dataFolder, Stream file, string passphrase, bool images, DateTimeOffset now, CancellationToken cancellation)
    {
        using Snapshot snapshot = await Task.Run(() => Snapshot.Take(dataFolder, images, cancellation), cancellation);
        var description = new BackupDescription(BackupDescription.Newest, now.ToUnixTimeMilliseconds(),
            ApplianceOf(Path.Combine(snapshot.Folder, "ca/ca.pem")), images);
        await using AgeWriter sealing = await Task.Run(() => AgeWriter.Create(file, passphrase), cancellation);
        await using (var compressed = new CompressionStream(sealing, Level, leaveOpen: true))
        {
            await using var tar = new TarWriter(compressed, TarEntryFormat.Pax, leaveOpen: true);
            using var words = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(description, ApiJson.Options));
            await WriteAsync(tar, BackupContents.Description, words, cancellation);
            foreach (string name in snapshot.Files)
            {
                await using FileStream content = File.OpenRead(Path.Combine(snapshot.Folder, name));
                await using Stream proven = BackupContents.DigestOf(name) is { } digest ? new ProvenStream(content, digest, name) : content;
                await WriteAsync(tar, name, proven, cancellation);
            }
        }
        await sealing.FinishAsync(cancellation);
        return description;
    }

    private static string ApplianceOf(string certificate)
    {
        try
        {
            using X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(certificate);
            return Digest.Of(authority.RawData).ToString();
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"{Path.GetFileName(certificate)} is no certificate: put back the file that belongs to this " +
                "data folder", e);
        }
    }

    private static Task WriteAsync(TarWriter tar, string name, Stream content, CancellationToken cancellation) => tar.WriteEntryAsync(
        new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite },
            cancellation);
}
