using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Server.Features.Trust;

/// <summary>
/// Locks what must not be read in the database or a copy of it: AES-256-GCM, with a key that is a file of its own (mode 0600). Whoever has
/// both can read it, as the appliance itself must.
/// </summary>
internal sealed class SecretBox
{
    private const int KeyBytes = 32, NonceBytes = 12, TagBytes = 16;

    private readonly byte[] _key;

    private SecretBox(byte[] key) => _key = key;

    /// <summary>Opens the box of that key file, which is made where there is none yet.</summary>
    /// <param name="first">Whether there never was one.</param>
    /// <exception cref="InvalidDataException">The file holds no key, or is gone.</exception>
    public static SecretBox Open(string keyFile, bool first)
    {
        if (!File.Exists(keyFile))
        {
            if (!first)
            {
                throw new InvalidDataException($"{keyFile} is gone: put back the file that belongs to this data folder");
            }
            PrivateFile.Write(keyFile, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes)) + '\n');
        }
        string text = File.ReadAllText(keyFile).Trim();
        return text.Length == 2 * KeyBytes && text.All(char.IsAsciiHexDigit)
            ? new SecretBox(Convert.FromHexString(text))
            : throw new InvalidDataException(
                $"{keyFile} holds no key of {KeyBytes} bytes in hex: put back the file that belongs to this data folder");
    }

    /// <summary>A key for one purpose: always the same one, and of no use for another (HKDF-SHA256, RFC 5869).</summary>
    /// <param name="bytes">Its length.</param>
    public byte[] Derive(string purpose, int bytes) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, bytes, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>Locks a text.</summary>
    /// <param name="about">Whose it is: under another name it does not open.</param>
    public string Lock(string text, string about)
    {
        byte[] plain = Encoding.UTF8.GetBytes(text), box = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        using var cipher = new AesGcm(_key, TagBytes);
        cipher.Encrypt(box.AsSpan(0, NonceBytes), plain, box.AsSpan(NonceBytes + TagBytes), box.AsSpan(NonceBytes, TagBytes),
            Encoding.UTF8.GetBytes(about));
        return Convert.ToBase64String(box);
    }

    /// <summary>Unlocks what <see cref="Lock"/> gave; null: it was locked with another key or under another name, or is damaged.</summary>
    public string? Unlock(string locked, string about)
    {
        byte[] box = new byte[locked.Length];
        if (!Convert.TryFromBase64String(locked, box, out int length) || length < NonceBytes + TagBytes)
        {
            return null;
        }
        byte[] plain = new byte[length - NonceBytes - TagBytes];
        using var cipher = new AesGcm(_key, TagBytes);
        try
        {
            cipher.Decrypt(box.AsSpan(0, NonceBytes), box.AsSpan(NonceBytes + TagBytes, plain.Length), box.AsSpan(NonceBytes, TagBytes),
                plain, Encoding.UTF8.GetBytes(about));
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
