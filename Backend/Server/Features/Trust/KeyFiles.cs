using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Trust;

/// <summary>
/// The keys of a data folder: its authority in <c>ca/</c> and <c>secrets.key</c>. The database knows which ones belong to it: with others
/// it would go on
/// as an appliance that no node believes, and whose secrets do not open.
/// </summary>
/// <param name="Authority">SHA-256 of the authority's certificate.</param>
/// <param name="Secrets">A text that the secrets' key has locked.</param>
internal sealed record KeyFiles(string Authority, string Secrets)
{
    private const string Key = "key-files", Text = "these belong together";

    /// <summary>Opens both; on the first start they are made, and noted.</summary>
    /// <exception cref="InvalidDataException">A file is damaged, gone, or another folder's; the message says what to do.</exception>
    public static (CertificateAuthority Authority, SecretBox Secrets) Open(string folder, SettingsStore settings, TimeProvider clock)
    {
        KeyFiles? noted = settings.Get<KeyFiles>(Key);
        string authorityFolder = Path.Combine(folder, "ca"), secretsFile = Path.Combine(folder, "secrets.key");
        CertificateAuthority authority = CertificateAuthority.Open(authorityFolder, clock, first: noted is null);
        SecretBox secrets = SecretBox.Open(secretsFile, first: noted is null);
        if (noted is null)
        {
            settings.Set(Key, new KeyFiles(authority.Fingerprint.ToString(), secrets.Lock(Text, Key)));
        }
        else if (noted.Authority != authority.Fingerprint.ToString())
        {
            throw new InvalidDataException($"the authority in {authorityFolder} is another appliance's than the database: put back the " +
                "files that belong to this data folder");
        }
        else if (secrets.Unlock(noted.Secrets, Key) != Text)
        {
            throw new InvalidDataException(
                $"{secretsFile} is another appliance's than the database: put back the file that belongs to this data folder");
        }
        return (authority, secrets);
    }
}
