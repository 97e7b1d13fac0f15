using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol;

namespace Bootstrap.Link;

/// <summary>TLS to the appliance: its own CA decides alone, and the host name says nothing, for addresses change.</summary>
/// <param name="authority">The CA certificate that this node was given.</param>
public sealed class ApplianceTls(X509Certificate2 authority)
{
    /// <summary>
    /// A Pi 3 and a Pi 4 have no instructions for AES, and compute ChaCha20 several times as fast; who has them takes what both sides like
    /// best (null).
    /// </summary>
    private static readonly CipherSuitesPolicy? s_ciphers =
        System.Runtime.Intrinsics.Arm.Aes.IsSupported || System.Runtime.Intrinsics.X86.Aes.IsSupported ? null : OnlyChaCha20();

    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The CA certificate that this node was given.</summary>
    public X509Certificate2 Authority { get; } = authority;

    /// <summary>A handler for one conversation with one appliance.</summary>
    /// <param name="identity">The node's certificate; null before it has one.</param>
    /// <param name="refused">Told why, when a server is not our appliance.</param>
    public SocketsHttpHandler CreateHandler(NodeIdentity? identity, Action<string> refused) => new()
    {
        ConnectTimeout = s_connectTimeout,
        UseProxy = false,
        AllowAutoRedirect = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            // Given whole, so that .NET neither searches the machine's store nor downloads issuers.
            CipherSuitesPolicy = s_ciphers,
            ClientCertificateContext = identity is null ? null
            : SslStreamCertificateContext.Create(identity.Certificate, null, offline: true),
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { Authority },
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
            RemoteCertificateValidationCallback = (_, certificate, _, _) => IsAppliance(certificate, refused),
        },
    };

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Interoperability", "CA1416", Justification = "Nodes run Linux.")]
    private static CipherSuitesPolicy OnlyChaCha20() =>
        new([TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]);

    private bool IsAppliance(X509Certificate? certificate, Action<string> refused)
    {
        if (certificate is not X509Certificate2 shown)
        {
            refused("it shows no certificate");
            return false;
        }
        if (!Trust.IsIssuedBy(shown, Authority))
        {
            refused("its certificate is not from our CA");
            return false;
        }
        // A node's certificate comes from the same CA: it must not pass for the appliance.
        if (shown.GetNameInfo(X509NameType.SimpleName, forIssuer: false) != Trust.ApplianceName)
        {
            refused($"its certificate is not the appliance's (common name '{shown.GetNameInfo(X509NameType.SimpleName, false)}')");
            return false;
        }
        return true;
    }
}
