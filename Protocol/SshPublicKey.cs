using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Protocol;

/// <summary>
/// A public key as a line of OpenSSH's authorized_keys without options: type, base64 of the key, comment (sshd(8)). The key itself is a row
/// of strings, each behind its length in 4 bytes, big-endian (RFC 4251, section 5); the first one is the type once more.
/// </summary>
/// <param name="Type">Such as <c>ssh-ed25519</c>.</param>
/// <param name="Base64">The key as the line has it.</param>
/// <param name="Comment">Empty where there is none.</param>
public sealed record SshPublicKey(string Type, string Base64, string Comment)
{
    /// <summary>Characters of a line; RSA keys of 16,384 bits have some 2,800.</summary>
    public const int MaximumLine = 16_384;

    /// <summary>What sshd takes at least of RSA (SSH_RSA_MINIMUM_MODULUS_SIZE of OpenSSH's sshkey.h).</summary>
    private const int MinimumRsaBits = 1024;

    private const int Ed25519Bytes = 32;

    /// <summary>Of curves: the name in keys and .NET's curve (RFC 5656, section 10.1).</summary>
    private static readonly Dictionary<string, ECCurve> s_curves = new()
    {
        ["nistp256"] = ECCurve.NamedCurves.nistP256,
        ["nistp384"] = ECCurve.NamedCurves.nistP384,
        ["nistp521"] = ECCurve.NamedCurves.nistP521,
    };

    /// <summary>"SHA256:…", as ssh tells it.</summary>
    public string Fingerprint => $"SHA256:{Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(Base64))).TrimEnd('=')}";

    /// <summary>Reads a line. A key that sshd would pass over is none: nobody could sign in with it.</summary>
    /// <param name="fault">What is wrong with it, in words that follow "the key" or its beginning; null where there is a key.</param>
    public static bool TryParse(string line, [NotNullWhen(true)] out SshPublicKey? key, [NotNullWhen(false)] out string? fault)
    {
        key = null;
        string[] words = line.Length > MaximumLine || line.Any(char.IsControl) ? []
            : line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (words is not [var type, var base64, ..])
        {
            fault = "is not an OpenSSH public key, which is one line such as 'ssh-ed25519 AAAA… name'";
            return false;
        }
        byte[] blob = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, blob, out int length))
        {
            fault = "is no base64 behind its type: copy the whole line of the .pub file";
            return false;
        }
        fault = FindFault(type, new Fields(blob.AsMemory(0, length)));
        if (fault is not null)
        {
            return false;
        }
        key = new SshPublicKey(type, base64, words.Length > 2 ? words[2] : "");
        return true;
    }

    private static string? FindFault(string type, Fields fields)
    {
        const string cut = "is cut short or damaged: copy the whole line of the .pub file";
        if (fields.Next() is not { } inner)
        {
            return cut;
        }
        if (!inner.Span.SequenceEqual(Encoding.UTF8.GetBytes(type)))
        {
            return $"is said to be {type}, and holds another type of key";
        }
        bool? isWhole = type switch
        {
            "ssh-ed25519" => IsEd25519(fields),
            "sk-ssh-ed25519@openssh.com" => IsEd25519(fields) && fields.Next() is { Length: > 0 },
            "ssh-rsa" => IsPositive(fields.Next()) && fields.Next() is { } modulus && IsPositive(modulus),
            "sk-ecdsa-sha2-nistp256@openssh.com" => IsPoint("nistp256", fields) && fields.Next() is { Length: > 0 },
            "ecdsa-sha2-nistp256" or "ecdsa-sha2-nistp384" or "ecdsa-sha2-nistp521" => IsPoint(type["ecdsa-sha2-".Length..], fields),
            _ => null,
        };
        return isWhole is null
            ? type == "ssh-dss" ? "is of DSA, which sshd takes no more: make another one with ssh-keygen"
                : "is of a type that sshd does not take: ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, and those of security keys"
            : isWhole is false || fields.Next() is not null || !fields.IsAtEnd ? cut
            : type == "ssh-rsa" && fields.LastBits < MinimumRsaBits
                ? $"has {fields.LastBits} bits, and sshd takes RSA from {MinimumRsaBits} on: make another one with ssh-keygen"
            : null;
    }

    private static bool IsEd25519(Fields fields) => fields.Next() is { Length: Ed25519Bytes };

    /// <summary>A number without a sign, as few bytes as possible (RFC 4251, "mpint").</summary>
    private static bool IsPositive(ReadOnlyMemory<byte>? number) =>
        number is { Length: > 0 } bytes && bytes.Span[0] < 0x80 && (bytes.Span[0] != 0 || bytes.Length > 1 && bytes.Span[1] >= 0x80);

    private static bool IsPoint(string curve, Fields fields)
    {
        if (fields.Next() is not { } name || !name.Span.SequenceEqual(Encoding.ASCII.GetBytes(curve)) || fields.Next() is not { } point)
        {
            return false;
        }
        ECCurve named = s_curves[curve];
        using ECDsa known = ECDsa.Create(named);
        int bytes = (known.KeySize + 7) / 8;
        // Uncompressed: 4, x, y (SEC 1, 2.3.3).
        if (point.Length != 1 + 2 * bytes || point.Span[0] != 4)
        {
            return false;
        }
        try
        {
            using ECDsa key = ECDsa.Create(new ECParameters
            {
                Curve = named,
                Q = new ECPoint { X = point.Slice(1, bytes).ToArray(), Y = point.Slice(1 + bytes, bytes).ToArray() },
            });
            return true;
        }
        catch (CryptographicException)
        {
            return false; // not a point of the curve
        }
    }

    /// <summary>The strings of a key, one after the other.</summary>
    private sealed class Fields(ReadOnlyMemory<byte> blob)
    {
        private ReadOnlyMemory<byte> _rest = blob;

        public bool IsAtEnd => _rest.IsEmpty;

        /// <summary>Of the last one, as a positive number.</summary>
        public int LastBits { get; private set; }

        /// <summary>Null: there is none, or it is cut short.</summary>
        public ReadOnlyMemory<byte>? Next()
        {
            if (_rest.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(_rest.Span) is var length && length > _rest.Length - 4)
            {
                return null;
            }
            ReadOnlyMemory<byte> field = _rest.Slice(4, (int)length);
            _rest = _rest[(4 + (int)length)..];
            int zeros = field.Span.StartsWith((byte)0) ? 1 : 0;
            LastBits = field.Length == zeros ? 0 : (field.Length - zeros - 1) * 8 + (8 - byte.LeadingZeroCount(field.Span[zeros]));
            return field;
        }
    }
}
