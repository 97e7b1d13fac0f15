using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Generators;

namespace Bootstrap.Server.Features.Backups;

/// <summary>
/// The head of a file that a passphrase opens, as age writes it (C2SP age v1, scrypt recipient): <c>age --decrypt</c> reads it without
/// this program.
/// </summary>
internal static class AgeHeader
{
    private const string Version = "age-encryption.org/v1", ScryptLabel = "age-encryption.org/v1/scrypt", Stanza = "-> scrypt ",
        Mac = "---";

    private const int FileKeyBytes = 16, SaltBytes = 16, KeyBytes = 32, TagBytes = 16, NonceBytes = 16;

    /// <summary>One guess takes 2^17 × 8 × 128 B = 128 MiB of memory, and about a second of a small machine.</summary>
    private const int WorkFactor = 17;

    /// <summary>What a file may ask for: 1 GiB.</summary>
    private const int LargestWorkFactor = 20;

    /// <summary>Longer than any line that this reads.</summary>
    private const int LongestLine = 128;

    /// <summary>Writes a head for a new file.</summary>
    /// <returns>The key of what follows.</returns>
    public static byte[] Write(Stream file, string passphrase)
    {
        byte[] fileKey = RandomNumberGenerator.GetBytes(FileKeyBytes), salt = RandomNumberGenerator.GetBytes(SaltBytes);
        byte[] body = new byte[FileKeyBytes + TagBytes];
        using (var wrap = new ChaCha20Poly1305(WrapKey(passphrase, salt, WorkFactor)))
        {
            wrap.Encrypt(new byte[12], fileKey, body.AsSpan(0, FileKeyBytes), body.AsSpan(FileKeyBytes));
        }
        string head = string.Create(CultureInfo.InvariantCulture, $"{Version}\n{Stanza}{Base64(salt)} {WorkFactor}\n{Base64(body)}\n{Mac}");
        file.Write(Encoding.ASCII.GetBytes($"{head} {Base64(MacOf(head, fileKey))}\n"));
        byte[] nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        file.Write(nonce);
        return PayloadKey(fileKey, nonce);
    }

    /// <summary>Reads the head of a file.</summary>
    /// <returns>The key of what follows.</returns>
    /// <exception cref="InvalidDataException">It is no such file, or another passphrase's.</exception>
    public static byte[] Read(Stream file, string passphrase)
    {
        string version = ReadLine(file), stanza = ReadLine(file), body = ReadLine(file), mac = ReadLine(file);
        if (version != Version || !stanza.StartsWith(Stanza, StringComparison.Ordinal)
            || stanza[Stanza.Length..].Split(' ') is not [var salt, var work]
            || !int.TryParse(work, NumberStyles.None, CultureInfo.InvariantCulture, out int workFactor) || work[0] == '0'
                || !mac.StartsWith(Mac + " ", StringComparison.Ordinal))
        {
            throw new InvalidDataException("this is no backup that a passphrase opens");
        }
        if (workFactor is < 1 or > LargestWorkFactor)
        {
            throw new InvalidDataException($"this file asks for 2^{workFactor} rounds to try a passphrase: it was not made by this " +
                "program");
        }
        byte[] wrapped = Bytes(body, FileKeyBytes + TagBytes), fileKey = new byte[FileKeyBytes];
        using (var wrap = new ChaCha20Poly1305(WrapKey(passphrase, Bytes(salt, SaltBytes), workFactor)))
        {
            try
            {
                wrap.Decrypt(new byte[12], wrapped.AsSpan(0, FileKeyBytes), wrapped.AsSpan(FileKeyBytes), fileKey);
            }
            catch (AuthenticationTagMismatchException e)
            {
                throw new InvalidDataException("the passphrase does not open this backup", e);
            }
        }
        if (!CryptographicOperations.FixedTimeEquals(MacOf($"{version}\n{stanza}\n{body}\n{Mac}", fileKey),
            Bytes(mac[(Mac.Length + 1)..], KeyBytes)))
        {
            throw new InvalidDataException("the head of this backup is damaged");
        }
        byte[] nonce = new byte[NonceBytes];
        try
        {
            file.ReadExactly(nonce);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("this backup is cut off", e);
        }
        return PayloadKey(fileKey, nonce);
    }

    private static byte[] WrapKey(string passphrase, byte[] salt, int workFactor) => SCrypt.Generate(
        Encoding.UTF8.GetBytes(passphrase), [.. Encoding.ASCII.GetBytes(ScryptLabel), .. salt], 1 << workFactor, 8, 1, KeyBytes);

    private static byte[] MacOf(string head, byte[] fileKey) => HMACSHA256.HashData(
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, KeyBytes, info: "header"u8.ToArray()), Encoding.ASCII.GetBytes(head));

    private static byte[] PayloadKey(byte[] fileKey, byte[] nonce) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, KeyBytes, nonce, "payload"u8.ToArray());

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>There is one way to write bytes: without padding, spaces, or bits that say nothing.</summary>
    private static byte[] Bytes(string base64, int length)
    {
        byte[] bytes = new byte[length];
        return Convert.TryFromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='), bytes, out int read) && read == length
            && Base64(bytes) == base64
            ? bytes : throw new InvalidDataException("the head of this backup is damaged");
    }

    private static string ReadLine(Stream file)
    {
        var line = new StringBuilder();
        for (int next; (next = file.ReadByte()) != '\n';)
        {
            if (next is < ' ' or > '~' || line.Length == LongestLine)
            {
                throw new InvalidDataException("this is no backup that a passphrase opens");
            }
            line.Append((char)next);
        }
        return line.ToString();
    }
}
