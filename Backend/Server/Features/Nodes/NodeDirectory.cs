using System.Collections.Concurrent;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Http;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>The nodes: what the database keeps of them, and who is connected at this moment.</summary>
internal sealed class NodeDirectory(
    Database database, INodeTasks tasks, IImageNames images, UnapprovedBoards unapproved, EventHub events)
{
    private readonly ConcurrentDictionary<NodeId, LinkSession> _sessions = new();

    /// <summary>The node's connection, or null.</summary>
    public LinkSession? Session(NodeId id) => _sessions.GetValueOrDefault(id);

    /// <summary>Makes this the node's connection; an older one is cut.</summary>
    internal void Connect(LinkSession session)
    {
        LinkSession? older = null;
        _sessions.AddOrUpdate(session.Node, session, (_, current) =>
        {
            older = current;
            return session;
        });
        older?.Cut();
    }

    /// <summary>Forgets a connection; false if another one has taken its place.</summary>
    internal bool Disconnect(LinkSession session) => _sessions.TryRemove(KeyValuePair.Create(session.Node, session));

    /// <summary>Connections of all systems that run.</summary>
    internal IEnumerable<LinkSession> Systems() => _sessions.Values.Where(session => session.State == LinkState.Slave);

    /// <summary>Tells all systems that run.</summary>
    internal void Tell(LinkMessage message)
    {
        foreach (LinkSession session in Systems())
        {
            session.Send(message);
        }
    }

    /// <summary>All nodes, by name.</summary>
    public IReadOnlyList<NodeView> List() => database.Read(c =>
    {
        IReadOnlyDictionary<string, string> names = images.Names(c);
        IReadOnlyDictionary<string, NodeTaskView> open = tasks.Open(c);
        return NodeRow.All(c).Select(row => View(row, names, open.GetValueOrDefault(row.Id))).ToList();
    });

    /// <summary>Those that a selector takes, by name.</summary>
    public IReadOnlyList<NodeView> Select(NodeSelector selector) => [.. List().Where(selector.Matches)];

    /// <summary>Answers with those that the words of a selector take; null: all.</summary>
    internal IResult Answer(string? words, Func<IReadOnlyList<NodeView>, IResult> answer) =>
        words is null ? answer(List())
        : NodeSelector.Parse(words) is { Fault.Length: 0 } selector ? answer(Select(selector))
        : Problems.Bad(NodeSelector.Parse(words).Fault);

    /// <summary>One node, or null.</summary>
    public NodeView? Find(NodeId id) => database.Read(c => NodeRow.Find(c, id) is { } row
        ? View(row, images.Names(c), tasks.Open(c, id))
        : null);

    /// <summary>Tells those who watch how a node is now.</summary>
    internal void Publish(NodeId id)
    {
        if (Find(id) is { } view)
        {
            events.Publish("node", view);
        }
    }

    /// <summary>The same of a node that has sent a heartbeat, and is otherwise as it was: a thousand do so each ten seconds.</summary>
    internal void PublishHealth(LinkSession session) => events.Publish("health", new { Id = session.Node, session.Health });

    private NodeView View(NodeRow row, IReadOnlyDictionary<string, string> names, NodeTaskView? task)
    {
        NodeId id = row.NodeId;
        LinkSession? session = Session(id);
        return new NodeView(id, row.Name, row.Lifecycle, session?.State ?? LinkState.Offline, row.Address, row.FirstSeen, row.LastSeen,
            row.Image, row.Image is null ? null : names.GetValueOrDefault(row.Image), unapproved.Claims(id),
            row.Inventory, session?.Health, task,
            row.Version, row.Revision is { } code ? PiRevision.Read(code) : null, row.Tags, row.Note, row.Location, row.Mark,
            row.AcknowledgedAt, row.Key);
    }

}
