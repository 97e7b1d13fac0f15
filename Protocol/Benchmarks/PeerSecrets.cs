using System.Security.Cryptography;

namespace Bootstrap.Protocol.Benchmarks;

/// <summary>Who may measure the network against this machine, and for how long. Thread-safe.</summary>
/// <param name="clock">Tells when one's time is over; not by the time of day, which is set while boards start.</param>
public sealed class PeerSecrets(TimeProvider clock)
{
    /// <summary>Bytes of a secret, of a challenge, and of what proves that one knows the secret: HMAC-SHA256 (RFC 2104).</summary>
    public const int Length = HMACSHA256.HashSizeInBytes;

    /// <summary>Of more, the oldest are forgotten.</summary>
    private const int Most = 64;

    /// <summary>Connections by one secret: one for each of the other machine's processors.</summary>
    private const int MostConnections = 64;

    private readonly Lock _lock = new();
    private readonly List<Known> _known = [];

    /// <summary>Somebody may measure now.</summary>
    public bool Any
    {
        get
        {
            lock (_lock)
            {
                return Prune() > 0;
            }
        }
    }

    /// <summary>Knows a secret from now on.</summary>
    /// <param name="life">For so long.</param>
    public void Add(byte[] secret, TimeSpan life)
    {
        lock (_lock)
        {
            Remove(secret);
            _known.Add(new Known(secret, clock.GetTimestamp(), life));
            if (Prune() > Most)
            {
                _known.RemoveAt(0);
            }
        }
    }

    /// <summary>Knows it no longer; who is connected by it stays until his time is over.</summary>
    public void Remove(byte[] secret)
    {
        lock (_lock)
        {
            _known.RemoveAll(known => known.Secret.AsSpan().SequenceEqual(secret));
        }
    }

    /// <summary>Lets in who proves to know a secret.</summary>
    /// <param name="challenge">That he was sent.</param>
    /// <param name="proof">His answer.</param>
    /// <returns>Until he leaves; null: he knows no secret, or has all the connections that there may be.</returns>
    internal Admission? Admit(ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> proof)
    {
        lock (_lock)
        {
            Prune();
            foreach (Known known in _known)
            {
                if (CryptographicOperations.FixedTimeEquals(ProofOf(known.Secret, challenge), proof))
                {
                    return known.Connections == MostConnections ? null : new Admission(this, known, Left(known));
                }
            }
            return null;
        }
    }

    /// <summary>What proves that one knows a secret.</summary>
    public static byte[] ProofOf(byte[] secret, ReadOnlySpan<byte> challenge) => HMACSHA256.HashData(secret, challenge);

    private int Prune()
    {
        _known.RemoveAll(known => Left(known) <= TimeSpan.Zero);
        return _known.Count;
    }

    private TimeSpan Left(Known known) => known.Life - clock.GetElapsedTime(known.Since);

    internal sealed class Known(byte[] secret, long since, TimeSpan life)
    {
        public byte[] Secret => secret;

        public long Since => since;

        public TimeSpan Life => life;

        public int Connections { get; set; }
    }

    /// <summary>Somebody who was let in.</summary>
    internal sealed class Admission : IDisposable
    {
        private readonly PeerSecrets _secrets;
        private readonly Known _known;

        public Admission(PeerSecrets secrets, Known known, TimeSpan left)
        {
            (_secrets, _known, Left) = (secrets, known, left);
            known.Connections++;
        }

        /// <summary>How long he may stay.</summary>
        public TimeSpan Left { get; }

        public byte[] Secret => _known.Secret;

        public void Dispose()
        {
            lock (_secrets._lock)
            {
                _known.Connections--;
            }
        }
    }
}
