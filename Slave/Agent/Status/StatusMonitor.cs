using System.Security.Cryptography.X509Certificates;
using Bootstrap.Agent.Discovery;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Status;

/// <summary>All of a node's status: read each second, told to those who watch, straight or by way of the appliance.</summary>
public sealed class StatusMonitor : IDisposable
{
    private readonly IdentityKeeper _node;
    private readonly StatusIdentity _identity;
    private readonly StatusRelay _relay;
    private readonly AlertWatch _alerts;
    private readonly StatusListener _listener;
    private readonly Action<LinkMessage> _send;
    private readonly StatusFeed _feed;

    /// <param name="folder">Of the node's files.</param>
    /// <param name="port">TCP; 0: any that is free.</param>
    /// <param name="authority">The appliance's CA.</param>
    /// <param name="node">Who this node is, and what time the appliance has.</param>
    /// <param name="registry">Where the service is offered.</param>
    /// <param name="sampler">Reads the machine.</param>
    /// <param name="send">Puts a message on the link.</param>
    /// <param name="log">The node's log.</param>
    /// <param name="isRevoked">Whether the appliance has revoked something.</param>
    /// <param name="clock">Times all of it.</param>
    public StatusMonitor(string folder, int port, X509Certificate2 authority, IdentityKeeper node, ServiceRegistry registry,
        StatusSampler sampler, Action<LinkMessage> send, Action<string> log, Predicate<Digest> isRevoked, TimeProvider clock)
    {
        (_node, _send) = (node, send);
        _feed = new StatusFeed(processes =>
            sampler.Sample(processes, node.ApplianceTime is { } time ? (clock.GetUtcNow() - time).TotalSeconds : null), clock);
        _identity = new StatusIdentity(folder, authority, log);
        _feed.Read += new MinuteSummaries(() => node.ApplianceTime, send).Add;
        _relay = new StatusRelay(_feed, send, clock);
        _alerts = new AlertWatch(send, clock);
        _feed.Read += _alerts.Add;
        var tokens = new StatusTokens(authority, () => node.Current.Name, () => node.ApplianceTime ?? clock.GetUtcNow(), isRevoked);
        _listener = new StatusListener(port, _identity, tokens, _feed, registry, log, clock,
            text => MetricsText.Write(sampler, text));
    }

    /// <summary>What runs in the background.</summary>
    public IReadOnlyList<Component> Components => [new("the status", _feed.RunAsync), new("the status server", _listener.RunAsync)];

    /// <summary>The appliance said something; what does not concern the status is passed over.</summary>
    public void Hear(LinkMessage message)
    {
        switch (message)
        {
            case Welcome:
                // The address may be another one than at the last connection.
                _send(_identity.Ask(NodeId.Parse(_node.Current.Name)));
                break;
            case StatusCertificate certificate:
                _identity.Take(certificate, _node.Current.Name);
                break;
            case WatchStatus watch:
                _relay.Hear(watch);
                break;
            case WatchAlerts rules:
                _alerts.Hear(rules);
                break;
            case EndStatus ended:
                _listener.End(ended.Holder);
                break;
        }
    }

    public void Dispose() => _relay.Dispose();
}
