using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol.Images;

/// <summary>A manifest as it is stored and sent: its exact bytes and who vouches for them.</summary>
/// <param name="Manifest">UTF-8 JSON of an <see cref="ImageManifest"/>; what is signed.</param>
/// <param name="Signature">ECDSA P-256 with SHA-256 over <paramref name="Manifest"/>, IEEE P1363 form (64 bytes).</param>
/// <param name="Signer">DER of the signer's certificate, issued by the appliance's CA for the name <see cref="SignerName"/>.</param>
public sealed record SignedManifest(byte[] Manifest, byte[] Signature, byte[] Signer)
{
    /// <summary>Common name that an image signer's certificate bears. A node's own certificate never has it: ids have no space.</summary>
    public const string SignerName = "image signer";

    /// <summary>The image's identity.</summary>
    public Digest Digest => Digest.Of(Manifest);

    /// <summary>Signs a manifest.</summary>
    public static SignedManifest Create(ImageManifest manifest, X509Certificate2 signer, ECDsa key)
    {
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, ProtocolJson.Default.ImageManifest);
        return new SignedManifest(bytes, key.SignData(bytes, HashAlgorithmName.SHA256), signer.RawData);
    }

    /// <summary>
    /// Gives the manifest if it is the one that was asked for, the appliance's signer signed it, and it fits together.
    /// </summary>
    /// <param name="expected">Identity of the wanted image.</param>
    /// <param name="authority">The appliance's CA certificate.</param>
    /// <param name="fault">Else the reason, in words.</param>
    /// <returns>Null when there is a fault.</returns>
    public ImageManifest? Verify(Digest expected, X509Certificate2 authority, out string? fault)
    {
        if (Digest != expected)
        {
            fault = $"the manifest's digest is {Digest}, not {expected}";
            return null;
        }
        try
        {
            using X509Certificate2 signer = X509CertificateLoader.LoadCertificate(Signer);
            using ECDsa? key = signer.GetECDsaPublicKey();
            if (!Trust.IsIssuedBy(signer, authority) || signer.GetNameInfo(X509NameType.SimpleName, false) != SignerName)
            {
                fault = "the manifest's signer was not named by this appliance's certificate authority";
                return null;
            }
            if (key is null || !key.VerifyData(Manifest, Signature, HashAlgorithmName.SHA256))
            {
                fault = "the manifest's signature is wrong";
                return null;
            }
            ImageManifest? manifest = JsonSerializer.Deserialize(Manifest, ProtocolJson.Default.ImageManifest);
            fault = manifest is null ? "the manifest is empty" : manifest.FindFault();
            return fault is null ? manifest : null;
        }
        catch (CryptographicException e)
        {
            fault = $"the manifest's signer cannot be read: {e.Message}";
            return null;
        }
        catch (JsonException e)
        {
            fault = $"the manifest cannot be read: {e.Message}";
            return null;
        }
    }
}
