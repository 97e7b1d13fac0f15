using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent;

/// <summary>
/// Keeps the node's identity on its disk and has it renewed over the node's own link when a third of its life is left. The old one stays
/// until the appliance has accepted a connection with the new one: whenever the power goes, one is there that works.
/// </summary>
public sealed class IdentityKeeper : IDisposable
{
    private readonly string _folder;
    private readonly X509Certificate2 _authority;
    private readonly Action<string> _log;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();

    private NodeIdentity _proven;
    private NodeIdentity? _next;
    private bool _prefersProven;
    private ECDsa? _askedFor;

    // A board's own clock may be anywhere: the appliance's counts, for it is who looks at the dates.
    private (DateTimeOffset Time, long Timestamp)? _appliance;

    private IdentityKeeper(string folder, NodeIdentity proven, X509Certificate2 authority, Action<string> log, TimeProvider clock) =>
        (_folder, _proven, _authority, _log, _clock) = (folder, proven, authority, log, clock);

    /// <summary>Reads the identity, and a newer one that was not proven before the machine stopped.</summary>
    /// <param name="folder">Holds <see cref="NodeFiles.Identity"/>.</param>
    /// <param name="authority">The appliance's CA.</param>
    /// <param name="log">The node's log.</param>
    /// <param name="clock">Measures the time since the appliance told it.</param>
    /// <exception cref="IOException">There is none, or it cannot be read.</exception>
    public static IdentityKeeper Open(string folder, X509Certificate2 authority, Action<string> log, TimeProvider clock)
    {
        NodeIdentity proven = NodeIdentity.Load(Path.Combine(folder, NodeFiles.Identity)) ??
            throw new IOException($"{folder} holds no {NodeFiles.Identity}: this machine was not enrolled; install it by the appliance");
        return new IdentityKeeper(
            folder, proven, authority, log, clock)
        { _next = NodeIdentity.Load(Path.Combine(folder, NodeFiles.NextIdentity)) };
    }

    /// <summary>The one to connect with.</summary>
    public NodeIdentity Current
    {
        get
        {
            lock (_lock)
            {
                return (_prefersProven ? null : _next) ?? _proven;
            }
        }
    }

    /// <summary>The appliance's time; null: it has not told it since this program was started.</summary>
    public DateTimeOffset? ApplianceTime => _appliance is { } told ? told.Time + _clock.GetElapsedTime(told.Timestamp) : null;

    private string ProvenFile => Path.Combine(_folder, NodeFiles.Identity);

    private string NextFile => Path.Combine(_folder, NodeFiles.NextIdentity);

    /// <summary>The appliance told the time.</summary>
    public void Hear(Welcome welcome) =>
        _appliance = (DateTimeOffset.FromUnixTimeSeconds(welcome.UnixTimeSeconds), _clock.GetTimestamp());

    /// <summary>The request for a newer certificate, if it is time for one. The same key asks until there is an answer.</summary>
    public RenewCertificate? Ask()
    {
        X509Certificate2 current = Current.Certificate;
        if (_appliance is not { } appliance ||
            appliance.Time + _clock.GetElapsedTime(appliance.Timestamp) < current.NotAfter - (current.NotAfter - current.NotBefore) / 3)
        {
            return null;
        }
        _askedFor ??= NodeIdentity.CreateKey();
        return new RenewCertificate(NodeIdentity.CreateSigningRequest(_askedFor, NodeId.Parse(Current.Name)));
    }

    /// <summary>
    /// Takes a certificate of the appliance's and makes it durable: the one that was asked for, or one for the present key, which the
    /// appliance sends by
    /// itself when people have called the node otherwise.
    /// </summary>
    /// <returns>The identity to connect with now; null where the answer is of no use, or is the present key's.</returns>
    public NodeIdentity? Take(NodeCertificate answer)
    {
        try
        {
            if (TakeForPresentKey(answer) || _askedFor is not { } key)
            {
                return null;
            }
            NodeIdentity next = NodeIdentity.Create(answer.Certificate, key);
            if (!Trust.IsIssuedBy(next.Certificate, _authority) || next.Name != Current.Name)
            {
                _log($"the certificate that came names '{next.Name}', or is not from our CA: refused");
                return null;
            }
            next.Save(NextFile);
            Linux.Sync(); // the folder's entry too: the appliance forgets the old certificate once it has seen the new one
            _askedFor = null;
            lock (_lock)
            {
                _prefersProven = false;
                return _next = next;
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            _log($"the certificate that came cannot be used: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log($"the new certificate cannot be kept, the old one stays: {e.Message}");
        }
        return null;
    }

    private bool TakeForPresentKey(NodeCertificate answer)
    {
        lock (_lock)
        {
            // One that is not proven yet is about to be replaced itself.
            if (_next is not null || _proven.With(answer.Certificate) is not { } same)
            {
                return false;
            }
            if (!Trust.IsIssuedBy(same.Certificate, _authority))
            {
                _log("a certificate for this node's key came that is not from our CA: refused");
                return true;
            }
            same.Save(ProvenFile);
            // Others may be signing with the old one at this moment: it is left to the collector.
            _proven = same;
            _log($"this node's certificate says now that it is '{Trust.NodeNameOf(same.Certificate)}'");
            return true;
        }
    }

    /// <summary>The appliance accepted a connection with this identity: the older one has done its work.</summary>
    public void Accepted(NodeIdentity identity)
    {
        lock (_lock)
        {
            if (identity != _next)
            {
                return;
            }
            try
            {
                File.Move(NextFile, ProvenFile, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _log($"{NextFile} cannot be renamed and stays the one that is used: {e.Message}");
                return;
            }
            (_proven, _next, _prefersProven) = (identity, null, false);
            _log($"this node's certificate was renewed; it is good until {identity.Certificate.NotAfter.ToUniversalTime():u}");
        }
    }

    /// <summary>The appliance does not take this identity.</summary>
    /// <returns>The one to go on with.</returns>
    public Task<NodeIdentity> RefusedAsync(NodeIdentity identity, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_next is not null)
            {
                // Neither is thrown away: a person may be approving just that one.
                _prefersProven = identity == _next;
                _log($"the appliance does not take this certificate: trying the {(_prefersProven ? "older" : "newer")} one");
            }
            return Task.FromResult((_prefersProven ? null : _next) ?? _proven);
        }
    }

    public void Dispose()
    {
        _proven.Dispose();
        _next?.Dispose();
        _askedFor?.Dispose();
    }
}
