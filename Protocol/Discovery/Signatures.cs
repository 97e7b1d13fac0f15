using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Ids;

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
                _key = current.GetECDsaPrivateKey() ??
                    throw new CryptographicException("discovery signs with an ECDSA key, and the certificate has none");
            }
            return new Signed(body, current.RawData, _key.SignData(signed, HashAlgorithmName.SHA256));
        }
    }
}

/// <summary>What is to be thought of an answer.</summary>
public enum Proof
{
    /// <summary>It claims none, or there is no CA here to prove anything by.</summary>
    None,

    /// <summary>The node has signed it.</summary>
    Holds,

    /// <summary>It claims a proof that does not hold: it is a lie.</summary>
    Fails,
}

/// <summary>Who signs answers, by his certificate.</summary>
/// <param name="Id">Common name: the node's id.</param>
/// <param name="Name">What the appliance calls the node; null for the appliance itself, and for nodes with a certificate of an earlier
/// version.</param>
/// <param name="Key">Fingerprint of the key (<see cref="Trust.FingerprintOf"/>).</param>
/// <param name="Number">What the certificate itself is known by (<see cref="Trust.NumberOf"/>).</param>
/// <param name="Ends">When the certificate ends.</param>
public sealed record Signer(string Id, string? Name, Digest Key, Digest Number, DateTimeOffset Ends);

/// <summary>Opens answers and tells proven ones from others.</summary>
/// <param name="issued">Whether a certificate is one of the appliance's CA; asked once for each. Null: nothing can be proven here.</param>
/// <param name="stands">Whether the signer is still to be believed: asked for each answer, for keys are revoked. Null: always.</param>
public sealed class MessageVerifier(Func<X509Certificate2, bool>? issued, Func<Signer, bool>? stands = null)
{
    private const int MaximumCertificates = 8192;

    // A certificate is looked at once; null: not to be trusted.
    private readonly ConcurrentDictionary<string, Sender?> _senders = new();

    private sealed record Sender(Signer Signer, ECDsa Key);

    /// <summary>Whether there is a CA to prove anything by.</summary>
    public bool CanProve => issued is not null;

    /// <summary>The answer in a message, unproven; null where there is none.</summary>
    public static Answer? Read(DiscoveryMessage? message) =>
        (message is Signed signed ? DiscoveryMessage.Read(signed.Body) : message) as Answer;

    /// <summary>Whether the node that an answer names has signed it. This takes its time: only answers to one's own questions are worth
    /// it.</summary>
    /// <param name="message">What was received.</param>
    /// <param name="answer">What <see cref="Read"/> made of it.</param>
    public Proof Prove(DiscoveryMessage message, Answer answer)
    {
        if (message is not Signed signed || issued is null)
        {
            return Proof.None;
        }
        return SenderOf(signed.Certificate) is { } sender && sender.Signer.Id == answer.Node.Id && stands?.Invoke(sender.Signer) != false &&
            Verifies(sender, signed)
            ? Proof.Holds
            : Proof.Fails;
    }

    /// <summary>Who has signed a message whose proof holds; null for others.</summary>
    public Signer? SignerOf(DiscoveryMessage message) =>
        message is Signed signed && issued is not null ? SenderOf(signed.Certificate)?.Signer : null;

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
            return issued!(read) && read.GetECDsaPublicKey() is { } key
                ? new Sender(new Signer(read.GetNameInfo(X509NameType.SimpleName, forIssuer: false), Trust.NodeNameOf(read),
                    Trust.FingerprintOf(read.PublicKey), Trust.NumberOf(read.SerialNumber),
                    read.NotAfter.ToUniversalTime()), key)
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
