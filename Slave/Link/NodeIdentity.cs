using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Link;

/// <summary>By what a node proves who it is: its certificate with the private key. The owner disposes it.</summary>
public sealed class NodeIdentity : IDisposable
{
    private readonly ECDsa _key;

    private NodeIdentity(X509Certificate2 certificate, ECDsa key)
    {
        Certificate = certificate;
        _key = key;
    }

    /// <summary>The certificate together with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The node's name, as the appliance certified it.</summary>
    public string Name => Certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    /// <summary>A new key, ECDSA on P-256.</summary>
    public static ECDsa CreateKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>A request for a certificate: PKCS #10 in DER.</summary>
    public static byte[] CreateSigningRequest(ECDsa key, NodeId id) =>
        new CertificateRequest($"CN={id}", key, HashAlgorithmName.SHA256).CreateSigningRequest();

    /// <summary>Joins a certificate and its key.</summary>
    /// <param name="certificate">DER.</param>
    /// <param name="key">Owned by the identity from now on.</param>
    /// <exception cref="CryptographicException">The certificate cannot be read.</exception>
    /// <exception cref="ArgumentException">The key is another one's.</exception>
    public static NodeIdentity Create(byte[] certificate, ECDsa key)
    {
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(certificate);
        return new NodeIdentity(bare.CopyWithPrivateKey(key), key);
    }

    /// <summary>Reads <see cref="NodeFiles.Certificate"/> and <see cref="NodeFiles.Key"/>; null where either is missing.</summary>
    /// <exception cref="CryptographicException">A file holds something else.</exception>
    public static NodeIdentity? Load(string folder)
    {
        string certificate = Path.Combine(folder, NodeFiles.Certificate);
        string keyFile = Path.Combine(folder, NodeFiles.Key);
        if (!File.Exists(certificate) || !File.Exists(keyFile))
        {
            return null;
        }
        ECDsa key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(keyFile));
        using X509Certificate2 bare = X509Certificate2.CreateFromPem(File.ReadAllText(certificate));
        return new NodeIdentity(bare.CopyWithPrivateKey(key), key);
    }

    /// <summary>Text of <see cref="NodeFiles.Certificate"/>.</summary>
    public string CertificatePem => Certificate.ExportCertificatePem();

    /// <summary>Text of <see cref="NodeFiles.Key"/>: secret.</summary>
    public string KeyPem => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>Writes both files; the key can be read by the owner alone from its first byte on.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(folder, NodeFiles.Certificate), CertificatePem);
        string keyFile = Path.Combine(folder, NodeFiles.Key);
        File.Delete(keyFile);
        using var stream = new FileStream(keyFile, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        stream.Write(System.Text.Encoding.ASCII.GetBytes(KeyPem));
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }
}
