using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Server.Features.Trust;

/// <summary>
/// The appliance's own certificate authority, ECDSA P-256, made on the first start and kept in <c>ca/</c> of the data folder. It names
/// the appliance's server certificate, the image signer and every node; nothing else is trusted by any of them.
/// </summary>
public sealed class CertificateAuthority
{
    /// <summary>It is renewed when a third of it is left.</summary>
    public static readonly TimeSpan NodeLifetime = TimeSpan.FromDays(90);

    /// <summary>Browsers of Apple take no server certificate that is valid for more than 825 days.</summary>
    private static readonly TimeSpan s_serverLifetime = TimeSpan.FromDays(800);

    /// <summary>A node asks for another one at each of its connections.</summary>
    private static readonly TimeSpan s_statusLifetime = TimeSpan.FromDays(30);

    private static readonly TimeSpan s_signerLifetime = TimeSpan.FromDays(20 * 365);

    /// <summary>An authority's dates are the same whatever the clock said when it was made: whoever pins it goes by its key.</summary>
    private static readonly DateTimeOffset s_always = DateTimeOffset.UnixEpoch, s_end = new(2099, 12, 31, 23, 59, 59, TimeSpan.Zero);

    /// <summary>When there was no appliance yet: a clock that says less is wrong, as on a board that has none and has heard from no time
    /// server.</summary>
    private static readonly DateTimeOffset s_before = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Certificates begin this long before they are issued: clocks of nodes differ a little.</summary>
    private static readonly TimeSpan s_earlier = TimeSpan.FromHours(1);

    private readonly X509Certificate2 _authority;
    private readonly TimeProvider _clock;

    private CertificateAuthority(X509Certificate2 authority, TimeProvider clock)
    {
        _authority = authority;
        _clock = clock;
        Certificate = X509CertificateLoader.LoadCertificate(authority.RawData);
    }

    /// <summary>The CA's certificate, without its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>SHA-256 of the CA's certificate: the appliance's name in discovery.</summary>
    public Digest Fingerprint => Digest.Of(Certificate.RawData);

    /// <summary>Reads the authority, or makes it where there is none yet.</summary>
    /// <param name="folder">Mode 0700; the key's file 0600.</param>
    /// <param name="clock">Dates the certificates.</param>
    /// <param name="first">Whether there never was one.</param>
    /// <exception cref="InvalidDataException">Its files are damaged, gone, or do not belong together; the message says what to
    /// do.</exception>
    public static CertificateAuthority Open(string folder, TimeProvider clock, bool first = true)
    {
        string certificatePath = Path.Combine(folder, "ca.pem");
        string keyPath = Path.Combine(folder, "ca.key");
        if (!File.Exists(certificatePath) && first)
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using X509Certificate2 made = Make();
            using ECDsa key = made.GetECDsaPrivateKey()!;
            PrivateFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem());
            // The certificate last: where it is, the key is too.
            PrivateFile.Write(certificatePath, made.ExportCertificatePem());
        }
        string[] gone = [.. new[] { certificatePath, keyPath }.Where(file => !File.Exists(file))];
        if (gone.Length > 0)
        {
            throw new InvalidDataException(
                $"{gone[0]} is gone: put back the file that belongs to this data folder; no node believes another authority");
        }
        try
        {
            return new CertificateAuthority(X509Certificate2.CreateFromPemFile(certificatePath, keyPath), clock);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException(
                $"{certificatePath} and {keyPath} are not a certificate and its key ({e.Message.TrimEnd('.')}): put back the files that " +
                    "belong to this data folder", e);
        }
    }

    /// <summary>A certificate with its key for the appliance's TLS ports.</summary>
    /// <param name="names">Subject alternative names.</param>
    public X509Certificate2 IssueServer(X509Extension names) =>
        IssueWithKey(Protocol.Trust.ApplianceName, names, X509KeyUsageFlags.DigitalSignature, "1.3.6.1.5.5.7.3.1", s_serverLifetime);

    /// <summary>A certificate with its key that signs image manifests.</summary>
    public X509Certificate2 IssueImageSigner() =>
        IssueWithKey(SignedManifest.SignerName, null, X509KeyUsageFlags.DigitalSignature, null, s_signerLifetime);

    /// <summary>A certificate with its key by which the appliance proves its answers in discovery.</summary>
    /// <param name="id">The appliance's id there.</param>
    public X509Certificate2 IssueDiscovery(string id) => IssueWithKey(id, null, X509KeyUsageFlags.DigitalSignature, null, s_serverLifetime);

    /// <summary>The key that a request for a certificate is made with.</summary>
    /// <param name="request">PKCS #10, DER; its signature must fit its key: whoever asks holds it.</param>
    /// <param name="isClaim">Without a look at the signature, which costs the most: no proof that he holds the key.</param>
    /// <returns>Null where the request is not sound, or the key is none on P-256.</returns>
    public static PublicKey? KeyOf(byte[] request, bool isClaim = false)
    {
        try
        {
            CertificateRequest asked = CertificateRequest.LoadSigningRequest(request, HashAlgorithmName.SHA256,
                isClaim ? CertificateRequestLoadOptions.SkipSignatureValidation : CertificateRequestLoadOptions.Default);
            using ECDsa? key = asked.PublicKey.GetECDsaPublicKey();
            return key is { KeySize: 256 } ? asked.PublicKey : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>A node's certificate. Who may have one is not decided here.</summary>
    /// <param name="node">The common name.</param>
    /// <param name="name">What people call the node: its DNS name, by which other machines put it into their lists of hosts.</param>
    /// <param name="key">The key that was tied to the node.</param>
    public X509Certificate2 IssueNode(NodeId node, string name, PublicKey key)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        return Issue(Request(node.ToString(), key, names.Build(), X509KeyUsageFlags.DigitalSignature, "1.3.6.1.5.5.7.3.2"), NodeLifetime);
    }

    /// <summary>The certificate by which a node proves to browsers that it is the machine at an address. Whether it is, is not decided
    /// here.</summary>
    /// <param name="node">Whose status is served.</param>
    /// <param name="address">The only name that it is good for.</param>
    /// <param name="key">Of the node's status.</param>
    public X509Certificate2 IssueStatus(NodeId node, IPAddress address, PublicKey key)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        string name = Protocol.Link.StatusCertificate.NameOf(node.ToString());
        return Issue(Request(name, key, names.Build(), X509KeyUsageFlags.DigitalSignature, "1.3.6.1.5.5.7.3.1"), s_statusLifetime);
    }

    /// <summary>Signs a token by which a program may read the metrics of nodes.</summary>
    public string Sign(ScrapeToken token)
    {
        using ECDsa key = _authority.GetECDsaPrivateKey()!;
        return token.Sign(key);
    }

    /// <summary>Signs a token by which somebody may watch a node.</summary>
    public string Sign(StatusToken token)
    {
        using ECDsa key = _authority.GetECDsaPrivateKey()!;
        return token.Sign(key);
    }

    /// <summary>When a certificate of this CA was issued, by the clock of then.</summary>
    public static DateTimeOffset IssuedAt(X509Certificate2 certificate) => certificate.NotBefore.ToUniversalTime() + s_earlier;

    /// <summary>Whether a certificate is this CA's, whenever it was or is valid.</summary>
    public bool Issued(X509Certificate2 certificate) => Protocol.Trust.IsIssuedBy(certificate, Certificate);

    /// <summary>
    /// Whether a node's certificate is valid now, or ended less than <see cref="Protocol.Trust.NodeGrace"/> ago. Where this clock is wrong,
    /// or was when the
    /// certificate was dated, its dates say nothing: its key is still tied to the node, or is not.
    /// </summary>
    /// <param name="from">When it began.</param>
    /// <param name="until">When it ends.</param>
    public bool IsInTime(DateTimeOffset from, DateTimeOffset until)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        return now < s_before || from < s_before || (now >= from && now - until < Protocol.Trust.NodeGrace);
    }

    private static X509Certificate2 Make()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var request = new CertificateRequest($"CN=Bootstrap appliance {id}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(s_always, s_end);
    }

    private X509Certificate2 IssueWithKey(string name, X509Extension? alternativeNames, X509KeyUsageFlags usage, string? extendedUsage,
        TimeSpan lifetime)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var publicKey = new PublicKey(key);
        using X509Certificate2 certificate = Issue(Request(name, publicKey, alternativeNames, usage, extendedUsage), lifetime);
        return certificate.CopyWithPrivateKey(key);
    }

    private static CertificateRequest Request(
        string name, PublicKey key, X509Extension? alternativeNames, X509KeyUsageFlags usage, string? extendedUsage)
    {
        var request = new CertificateRequest(new X500DistinguishedName($"CN={name}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        if (alternativeNames is not null)
        {
            request.CertificateExtensions.Add(alternativeNames);
        }
        if (extendedUsage is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(extendedUsage)], false));
        }
        return request;
    }

    private X509Certificate2 Issue(CertificateRequest request, TimeSpan lifetime)
    {
        // What a wrong clock dates is good by that clock, and when it has been set right. An authority that such a clock made, in earlier
        // versions, may
        // be over: it is believed all the same, and so is what it issues.
        DateTimeOffset now = _clock.GetUtcNow();
        (DateTimeOffset start, DateTimeOffset end) = now < s_before ? (s_always, s_before + lifetime) : (now - s_earlier, now + lifetime);
        using ECDsa key = _authority.GetECDsaPrivateKey()!;
        return request.Create(_authority.SubjectName, X509SignatureGenerator.CreateForECDsa(key), start, end,
            RandomNumberGenerator.GetBytes(16));
    }
}
