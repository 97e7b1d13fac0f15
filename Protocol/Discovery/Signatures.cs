using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bootstrap.Protocol.Discovery;

/// <summary>Puts answers into <see cref="Signed"/> with a node's or the appliance's certificate.</summary>
/// <param name="identity">The certificate with its key, ECDSA P-256, asked for anew each time since it is renewed now and then.</param>
public sealed class MessageSigner(Func<X509Certificate2> identity)
{
    /// <summary>What is signed begins with this, so that a signature made here means nothing anywhere else.</summary>
    internal static ReadOnlySpan<byte> Context => "bootstrap discovery 2\n"u8;

    private X509Certificate2? _certificate;
    private ECDsa? _key;
    private readonly Lock _lock = new();

    /// <summary>The message with its proof.</summary>
    public Signed Sign(DiscoveryMessage message)
    {
        byte[] body = message.ToBytes();
        byte[] signed = [.. Context, .. body];
        lock (_lock)
        {
            X509Certificate2 current = identity();
            if (_key is null || !ReferenceEquals(current, _certificate))
            {
                _key?.Dispose();
                _certificate = current;
                _key = current.GetECDsaPrivateKey() ?? throw new CryptographicException("discovery signs with an ECDSA key, and the certificate has none");
            }
            return new Signed(body, current.RawData, _key.SignData(signed, HashAlgorithmName.SHA256));
        }
    }
}

/// <summary>Opens answers and tells proven ones from others.</summary>
/// <param name="admits">Whether a certificate is one of the appliance's CA; null: nothing can be proven here.</param>
public sealed class MessageVerifier(Func<X509Certificate2, bool>? admits)
{
    private const int MaximumCertificates = 8192;

    // A certificate is looked at once; null: not to be trusted.
    private readonly ConcurrentDictionary<string, Sender?> _senders = new();

    private sealed record Sender(string Id, ECDsa Key);

    /// <summary>Whether there is a CA to prove anything by.</summary>
    public bool CanProve => admits is not null;

    /// <summary>The answer in a message to one of our questions. Null where there is none, or where it claims a proof that does not hold.</summary>
    /// <param name="message">What was received.</param>
    /// <param name="isOurs">Whether a nonce is one of ours; what answers nobody's question is not even proven.</param>
    /// <param name="isProven">True if the node with the answer's id has signed it.</param>
    public Answer? Open(DiscoveryMessage? message, Func<string, bool> isOurs, out bool isProven)
    {
        isProven = false;
        Signed? signed = message as Signed;
        Answer? answer = (signed is null ? message : DiscoveryMessage.Read(signed.Body)) as Answer;
        if (answer is null || !isOurs(answer.Nonce))
        {
            return null;
        }
        if (signed is null || admits is null)
        {
            return answer;
        }
        isProven = SenderOf(signed.Certificate) is { } sender && sender.Id == answer.Node.Id && Verifies(sender, signed);
        return isProven ? answer : null;
    }

    private static bool Verifies(Sender sender, Signed signed)
    {
        byte[] content = [.. MessageSigner.Context, .. signed.Body];
        lock (sender)
        {
            return sender.Key.VerifyData(content, signed.Signature, HashAlgorithmName.SHA256);
        }
    }

    private Sender? SenderOf(byte[] certificate)
    {
        string digest = Convert.ToHexString(SHA256.HashData(certificate));
        if (_senders.TryGetValue(digest, out Sender? known))
        {
            return known;
        }
        if (_senders.Count >= MaximumCertificates)
        {
            _senders.Clear();
        }
        return _senders[digest] = Examine(certificate);
    }

    private Sender? Examine(byte[] certificate)
    {
        try
        {
            using X509Certificate2 read = X509CertificateLoader.LoadCertificate(certificate);
            return admits!(read) && read.GetECDsaPublicKey() is { } key ? new Sender(read.GetNameInfo(X509NameType.SimpleName, forIssuer: false), key) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
