using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Imaging.Store;

/// <summary>Signs manifests for an appliance.</summary>
/// <param name="certificate">Issued by the appliance's CA to <see cref="SignedManifest.SignerName"/>; holds its private key.</param>
public sealed class ImageSigner(X509Certificate2 certificate)
{
    public SignedManifest Sign(ImageManifest manifest)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()
            ?? throw new InvalidOperationException("the image signer's certificate came without its private key");
        return SignedManifest.Create(manifest, certificate, key);
    }
}
