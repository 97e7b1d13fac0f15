using System.Security.Cryptography.X509Certificates;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>The time of which a restored database knows nothing: from when its backup was made until it was restored.</summary>
/// <param name="From">Unix milliseconds.</param>
/// <param name="Until">Unix milliseconds.</param>
internal sealed record LostTime(long From, long Until)
{
    private const string Key = "lost-time";

    public static LostTime? Find(SettingsStore settings) => settings.Get<LostTime>(Key);

    /// <summary>Notes it in a database that is restored; one that was restored before has lost that time, too.</summary>
    public static void Note(SettingsStore settings, long from, long until) =>
        settings.Set(Key, new LostTime(Math.Min(from, Find(settings)?.From ?? from), until));

    /// <summary>Whether a certificate of this appliance was issued then.</summary>
    public bool Has(X509Certificate2 certificate) =>
        CertificateAuthority.IssuedAt(certificate).ToUnixTimeMilliseconds() is var at && at >= From && at <= Until;
}
