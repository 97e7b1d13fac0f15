using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Server.Features.Boot.Http;

/// <summary>
/// Makes boot.sig, by which a Pi's EEPROM knows that a boot.img is its owner's (raspberrypi/rpi-eeprom, rpi-eeprom-digest): the SHA-256 in
/// hex, a time, and an RSA-2048 signature (PKCS #1 v1.5 with SHA-256) in hex, a line each.
/// </summary>
internal sealed class BootSigner : IDisposable
{
    private const int KeyBits = 2048;

    private readonly RSA _key;
    private readonly TimeProvider _clock;

    private BootSigner(RSA key, TimeProvider clock) => (_key, _clock) = (key, clock);

    /// <summary>Reads the key.</summary>
    /// <exception cref="IOException">It cannot be read or is of another kind; the message says so.</exception>
    public static BootSigner Open(string path, TimeProvider clock)
    {
        var key = RSA.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            if (key.KeySize != KeyBits)
            {
                throw new IOException($"{path} is an RSA key of {key.KeySize} bits; a Raspberry Pi's EEPROM takes {KeyBits} alone: " +
                    $"openssl genrsa -out {path} {KeyBits}");
            }
            _ = key.SignData([], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            return new BootSigner(key, clock);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new IOException(
                $"{path} is not a private RSA key in PEM form without a passphrase: openssl genrsa -out {path} {KeyBits}", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Signs an image.</summary>
    public string Sign(Stream image)
    {
        byte[] digest = SHA256.HashData(image);
        byte[] signature = _key.SignHash(digest, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(digest)}\n");
        text.Append(CultureInfo.InvariantCulture, $"ts: {_clock.GetUtcNow().ToUnixTimeSeconds()}\n");
        text.Append(CultureInfo.InvariantCulture, $"rsa2048: {Convert.ToHexStringLower(signature)}\n");
        return text.ToString();
    }

    public void Dispose() => _key.Dispose();
}
