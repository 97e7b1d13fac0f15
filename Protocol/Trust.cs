using System.Security.Cryptography.X509Certificates;

namespace Bootstrap.Protocol;

/// <summary>The one question that nodes and appliance ask of a certificate: did this appliance's CA issue it?</summary>
public static class Trust
{
    /// <summary>Common name of the appliance's server certificate. No node may have it: it is not of a node id's form.</summary>
    public const string ApplianceName = "the appliance";

    /// <summary>True if this is the appliance's own server certificate: a node's is from the same authority, and is not the appliance.</summary>
    /// <param name="certificate">The certificate in question.</param>
    /// <param name="authority">The appliance's CA certificate.</param>
    /// <param name="at">The time at which it must be valid; null where the clock cannot be trusted.</param>
    public static bool IsAppliance(X509Certificate2 certificate, X509Certificate2 authority, DateTimeOffset? at = null) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == ApplianceName && IsIssuedBy(certificate, authority, at);

    /// <summary>
    /// True if the certificate was issued by that very authority; the machine's own trust store has no say. Validity times
    /// count only when a time is given: a Pi has no clock that survives a power cut, so a node that has just booted does not
    /// know the time, and the pinned key alone decides there.
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
        chain.ChainPolicy.VerificationTime = (at ?? certificate.NotBefore.ToUniversalTime()).UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        if (at is null)
        {
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        }
        return chain.Build(certificate) && chain.ChainElements.Count == 2;
    }
}
