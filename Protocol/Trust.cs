using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol;

/// <summary>The one question that nodes and appliance ask of a certificate: did this appliance's CA issue it?</summary>
public static class Trust
{
    /// <summary>Common name of the appliance's server certificate. No node may have it: it is not of a node id's form.</summary>
    public const string ApplianceName = "the appliance";

    /// <summary>Beginning of the appliance's id in discovery. No node may have an id that begins so.</summary>
    public const string ApplianceIdPrefix = "appliance-";

    /// <summary>
    /// How long after its end a node's certificate is still taken, and renewed. It has 30 days left when it is renewed: a board may be off
    /// for six weeks. One that was
    /// off for longer is approved anew by a person.
    /// </summary>
    public static readonly TimeSpan NodeGrace = TimeSpan.FromDays(14);

    /// <summary>What a key is known by: the SHA-256 of its SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).</summary>
    public static Digest FingerprintOf(PublicKey key) => Digest.Of(key.ExportSubjectPublicKeyInfo());

    /// <summary>What stands for one certificate in a list of revoked keys: where its number alone is known, and not its key.</summary>
    /// <param name="serial">Its serial number, as <see cref="X509Certificate2.SerialNumber"/>.</param>
    public static Digest NumberOf(string serial) => Digest.Of(System.Text.Encoding.ASCII.GetBytes($"certificate {serial}"));

    /// <summary>The name by which people know the node of a certificate: its DNS name (RFC 5280, 4.2.1.6); null where it has
    /// none.</summary>
    public static string? NodeNameOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames())
        .FirstOrDefault();

    /// <summary>True if this is the appliance's own server certificate: a node's is from the same authority, and is not the
    /// appliance.</summary>
    /// <param name="certificate">The certificate in question.</param>
    /// <param name="authority">The appliance's CA certificate.</param>
    /// <param name="at">The time at which it must be valid; null where the clock cannot be trusted.</param>
    public static bool IsAppliance(X509Certificate2 certificate, X509Certificate2 authority, DateTimeOffset? at = null) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == ApplianceName && IsIssuedBy(certificate, authority, at);

    /// <summary>
    /// True if the certificate was issued by that very authority; the machine's own trust store has no say. Its validity counts
    /// only when a time is given: a Pi has no clock that survives a power cut, so a node that has just booted does not know the
    /// time, and the pinned key alone decides there. The authority's own dates never count: it may have been made by such a clock,
    /// and it is believed because it is pinned.
    /// </summary>
    /// <param name="certificate">The certificate in question.</param>
    /// <param name="authority">The appliance's CA certificate.</param>
    /// <param name="at">The time at which it must be valid; null where the clock cannot be trusted.</param>
    public static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 authority, DateTimeOffset? at = null)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate) && chain.ChainElements.Count == 2
            && (at is null || (at >= certificate.NotBefore.ToUniversalTime() && at <= certificate.NotAfter.ToUniversalTime()));
    }
}
