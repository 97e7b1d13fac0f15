using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Status;

/// <summary>
/// By what a node proves to browsers that it is the machine at its address: a key of its own, and the appliance's certificate for the
/// address that it is known by there. Asked for anew at each connection, since the address may be another one; it is kept on the disk, so
/// that a node tells its status as soon as it has started, also while the appliance is away.
/// </summary>
public sealed class StatusIdentity
{
    private readonly string _file;
    private readonly X509Certificate2 _authority;
    private readonly Action<string> _log;
    private ECDsa? _askedFor;
    private volatile NodeIdentity? _current;

    /// <param name="folder">Holds <see cref="NodeFiles.StatusIdentity"/>, once there is one.</param>
    /// <param name="authority">The appliance's CA.</param>
    /// <param name="log">The node's log.</param>
    public StatusIdentity(string folder, X509Certificate2 authority, Action<string> log)
    {
        (_file, _authority, _log) = (Path.Combine(folder, NodeFiles.StatusIdentity), authority, log);
        try
        {
            _current = NodeIdentity.Load(_file);
        }
        catch (IOException e)
        {
            log($"{e.Message}: the appliance gives another one");
        }
    }

    /// <summary>There is one now, or another one.</summary>
    public event Action? Changed;

    /// <summary>Null: the appliance has given none yet.</summary>
    public NodeIdentity? Current => _current;

    /// <summary>The request for a certificate. The same key asks until there is an answer.</summary>
    public AskStatusCertificate Ask(NodeId node)
    {
        _askedFor ??= NodeIdentity.CreateKey();
        return new AskStatusCertificate(NodeIdentity.CreateSigningRequest(_askedFor, node));
    }

    /// <summary>Takes the appliance's answer.</summary>
    /// <param name="answer">For the key that asked.</param>
    /// <param name="node">This node's id.</param>
    public void Take(StatusCertificate answer, string node)
    {
        if (_askedFor is not { } key)
        {
            return;
        }
        try
        {
            NodeIdentity next = NodeIdentity.Create(answer.Certificate, key);
            if (!Trust.IsIssuedBy(next.Certificate, _authority) || next.Name != StatusCertificate.NameOf(node))
            {
                _log($"the status certificate that came names '{next.Name}', or is not from our CA: refused");
                return;
            }
            next.Save(_file);
            // Connections may be using the old one at this moment: it is left to the collector.
            (_current, _askedFor) = (next, null);
            Changed?.Invoke();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            _log($"the status certificate that came cannot be used: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log($"the status certificate cannot be kept: {e.Message}");
        }
    }
}
