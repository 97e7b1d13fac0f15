using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol;
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

    /// <summary>The same key with another certificate, if that is for this key.</summary>
    /// <param name="certificate">DER.</param>
    /// <returns>Null where it is for another key.</returns>
    /// <exception cref="CryptographicException">The certificate cannot be read.</exception>
    public NodeIdentity? With(byte[] certificate)
    {
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(certificate);
        if (Trust.FingerprintOf(bare.PublicKey) != Trust.FingerprintOf(Certificate.PublicKey))
        {
            return null;
        }
        ECDsa key = CopyKey();
        return new NodeIdentity(bare.CopyWithPrivateKey(key), key);
    }

    /// <summary>The same key for another owner.</summary>
    public ECDsa CopyKey() => ECDsa.Create(_key.ExportParameters(includePrivateParameters: true));

    /// <summary>Reads a file such as <see cref="NodeFiles.Identity"/>; null where there is none.</summary>
    /// <exception cref="IOException">The file holds something else.</exception>
    public static NodeIdentity? Load(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }
        return Parse(File.ReadAllText(path)) ?? throw new IOException($"reading {path}: it does not hold a certificate and its key in PEM");
    }

    /// <summary>Reads what <see cref="Pem"/> gives; null where it is something else.</summary>
    public static NodeIdentity? Parse(string pem)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            using X509Certificate2 bare = X509Certificate2.CreateFromPem(pem);
            return new NodeIdentity(bare.CopyWithPrivateKey(key), key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            return null;
        }
    }

    /// <summary>Text of <see cref="NodeFiles.Identity"/>: secret.</summary>
    public string Pem => $"{Certificate.ExportCertificatePem()}\n{_key.ExportPkcs8PrivateKeyPem()}\n";

    /// <summary>Writes the file: complete or not at all, and readable by the owner alone from its first byte on.</summary>
    public void Save(string path)
    {
        string temporary = path + ".new";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(Pem));
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }
}
