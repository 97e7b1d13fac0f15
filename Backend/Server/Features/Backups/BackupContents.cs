using System.Globalization;
using System.Text.RegularExpressions;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Server.Features.Backups;

/// <summary>What a backup says of itself; its first file.</summary>
/// <param name="Version">Of the form of the backup.</param>
/// <param name="MadeAt">Unix milliseconds: it has what was kept then.</param>
/// <param name="Appliance">SHA-256 of the CA's certificate.</param>
/// <param name="Images">Whether the images' bytes are in it.</param>
public sealed record BackupDescription(int Version, long MadeAt, string Appliance, bool Images)
{
    public const int Newest = 1;
}

/// <summary>
/// What is in a backup: a tar archive of files by their names in the data folder, compressed by zstd, sealed as age does. So
/// <c>age --decrypt FILE | tar --zstd --extract</c> opens one without this program. Of the data folder it has what cannot be made again.
/// </summary>
internal static partial class BackupContents
{
    public const string Description = "backup.json", Database = "appliance.db", Manifests = "store/manifests", Chunks = "store/chunks",
        Uploads = "files", Overrides = "boot/overrides";

    public const int LargestDescription = 64 << 10;

    /// <summary>Files that are there in every data folder, the database first.</summary>
    public static readonly IReadOnlyList<string> Always = [Database, "secrets.key", "ca/ca.pem", "ca/ca.key", "ca/server.pem"];

    /// <summary>Folders with all that is in them: the boards' own boot files, boot sets, and what nodes keep through updates.</summary>
    public static readonly IReadOnlyList<string> Folders = [Overrides, "boot/sets", "kept"];

    /// <summary>What a backup may be called in the folder of backups.</summary>
    public static string NameOf(DateTimeOffset made, bool images) =>
        string.Create(CultureInfo.InvariantCulture,
            $"bootstrap-{made.UtcDateTime:yyyyMMdd-HHmmss}{(images ? "-with-images" : "")}.tar.zst.age");

    public static bool IsName(string name) => BackupName().IsMatch(name);

    /// <summary>Whether a file may lie there: within the folder, and among what backups have.</summary>
    public static bool MayBe(string name) =>
        name == Description || Always.Contains(name) || ManifestName().IsMatch(name) || ChunkName().IsMatch(name) || FileName()
            .IsMatch(name)
        || (Folders.Any(folder => name.StartsWith(folder + "/", StringComparison.Ordinal)) && name.Split('/').All(IsPart));

    /// <summary>The digest that a file must have by its name; null: its name says none.</summary>
    public static Digest? DigestOf(string name) =>
        ChunkName().IsMatch(name) || FileName().IsMatch(name) ? Digest.Parse(name[^64..]) : null;

    private static bool IsPart(string part) => part is not ("" or "." or "..") && !part.Contains('\0', StringComparison.Ordinal);

    [GeneratedRegex(@"\Abootstrap-[0-9]{8}-[0-9]{6}(-with-images)?\.tar\.zst\.age\z")]
    private static partial Regex BackupName();

    [GeneratedRegex(@"\Astore/manifests/[0-9a-f]{64}\z")]
    private static partial Regex ManifestName();

    [GeneratedRegex(@"\Astore/chunks/([0-9a-f]{2})/\1[0-9a-f]{62}\z")]
    private static partial Regex ChunkName();

    [GeneratedRegex(@"\Afiles/[0-9a-f]{64}\z")]
    private static partial Regex FileName();
}
