using System.Text.Json;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Monitoring.Alerts;

/// <summary>
/// Has the nodes look at the rules, each at its own metrics, and takes what they tell; looks itself at what only the appliance knows. While
/// all is well nothing travels and nothing is written.
/// </summary>
internal sealed class AlertService(
    AlertRules rules, AlertStore store, OwnConditions own, NodeDirectory nodes, IEnumerable<IQuietTimes> quiet, EventHub events,
    DataDisk disk, TimeProvider clock) : BackgroundService, ILinkFeature
{
    /// <summary>Within it, what a node has said is on the page.</summary>
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two looks at what the appliance knows itself, and at whose jobs have ended; and at whose tags have
    /// changed.</summary>
    private static readonly TimeSpan s_lookInterval = TimeSpan.FromSeconds(5), s_sendInterval = TimeSpan.FromMinutes(1);

    /// <summary>No condition is met for longer than that: what a node says of its past is not believed beyond.</summary>
    private static readonly TimeSpan s_longestHeld = TimeSpan.FromDays(365);

    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, IReadOnlyList<MetCondition>> _heard = [];

    /// <summary>The appliance's own conditions, as they were last kept.</summary>
    private readonly Dictionary<NodeId, string> _own = [];
    private bool _rulesChanged = true, _tell = true;

    public void Introduced(LinkSession session)
    {
        own.Introduced(session);
        if (session.State == LinkState.Slave)
        {
            SendRules(session);
        }
    }

    public bool Heard(LinkSession session, LinkMessage message)
    {
        if (message is not MetConditions { Conditions: var met })
        {
            return false;
        }
        if (met.Count > WatchAlerts.Most || met.Any(c => !StatusMessage.IsSound(c.Value) || c.Part?.Length > StatusMessage.LongestKey))
        {
            throw new JsonException("conditions that no machine meets");
        }
        HashSet<string> known = [.. RulesOf(appliance: false).Select(rule => rule.Name)];
        lock (_lock)
        {
            _heard[session.Node] = [.. met.Where(c => known.Contains(c.Rule)).DistinctBy(c => c.Rule).Select(c => c with
            {
                Part = c.Part is { } part ? InventoryLimits.Text(part) : null,
                HeldSeconds = Math.Clamp(c.HeldSeconds, 0, (long)s_longestHeld.TotalSeconds),
            })];
        }
        return true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        rules.Changed += () => Volatile.Write(ref _rulesChanged, true);
        using var timer = new PeriodicTimer(s_tick, clock);
        long lookedAt = clock.GetTimestamp(), sentAt = lookedAt;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            bool rulesChanged = Interlocked.Exchange(ref _rulesChanged, false);
            if (rulesChanged)
            {
                _own.Clear(); // what is kept of a rule that was away for a moment is gone, and to be kept again
            }
            if (rulesChanged || clock.GetElapsedTime(sentAt) >= s_sendInterval)
            {
                sentAt = clock.GetTimestamp();
                disk.Try(SendAll);
            }
            bool isTime = clock.GetElapsedTime(lookedAt) >= s_lookInterval;
            if (isTime)
            {
                lookedAt = clock.GetTimestamp();
                disk.Try(Look);
            }
            if (disk.Try(TakeHeard) && (isTime || _tell))
            {
                _tell = !disk.Try(() => Publish(store.Tell(Quiet)));
            }
        }
    }

    /// <summary>What nodes have said since the last tick; where it cannot be kept, it waits.</summary>
    private void TakeHeard()
    {
        Dictionary<NodeId, IReadOnlyList<MetCondition>> heard;
        lock (_lock)
        {
            if (_heard.Count == 0)
            {
                return;
            }
            heard = new(_heard);
        }
        Publish(store.Set(heard, rule => !own.IsOf(rule)));
        lock (_lock)
        {
            foreach ((NodeId node, IReadOnlyList<MetCondition> met) in heard)
            {
                // What it has said meanwhile comes at the next tick.
                if (ReferenceEquals(_heard[node], met))
                {
                    _heard.Remove(node);
                }
            }
        }
        _tell = true;
    }

    private void Look()
    {
        IReadOnlyDictionary<NodeId, IReadOnlyList<MetCondition>> met = own.Look([.. RulesOf(appliance: true)]);
        static string Words(IReadOnlyList<MetCondition> conditions) => string.Join(' ', conditions.Select(c => c.Rule));
        var news = met.Where(node => _own.GetValueOrDefault(node.Key) != Words(node.Value)).ToDictionary();
        Publish(store.Set(news, own.IsOf));
        foreach ((NodeId node, IReadOnlyList<MetCondition> conditions) in news)
        {
            _own[node] = Words(conditions);
        }
        _tell |= news.Count > 0;
    }

    /// <summary>Who gets which rules may be otherwise, since rules, or nodes' tags, have changed.</summary>
    private void SendAll()
    {
        if (store.Tidy())
        {
            events.Publish("alerts", new { });
        }
        AlertRule[] all = [.. RulesOf(appliance: false)];
        IReadOnlyList<NodeView>? views = all.Any(rule => rule.Select is not null) ? nodes.List() : null;
        foreach (LinkSession session in nodes.Systems())
        {
            Send(session, all, () => views?.FirstOrDefault(view => view.Id == session.Node));
        }
    }

    private void SendRules(LinkSession session) => Send(session, [.. RulesOf(appliance: false)], () => nodes.Find(session.Node));

    private static void Send(LinkSession session, AlertRule[] all, Func<NodeView?> find)
    {
        NodeView? view = all.Any(rule => rule.Select is not null) ? find() : null;
        var message = new WatchAlerts(all
            .Where(rule => rule.Select is not { } select || (view is not null && NodeSelector.Parse(select).Matches(view)))
            .ToDictionary(rule => rule.Name, rule => rule.Condition));
        string words = JsonSerializer.Serialize(message.Rules, ApiJson.Options);
        if (session.AlertRules != words)
        {
            session.AlertRules = words;
            session.Send(message);
        }
    }

    private IEnumerable<AlertRule> RulesOf(bool appliance) => rules.All().Where(rule => rule.Enabled && rule.IsOfAppliance == appliance);

    private Dictionary<NodeId, string> Quiet() => quiet.SelectMany(times => times.Now()).DistinctBy(node => node.Key).ToDictionary();

    private void Publish(IReadOnlyList<Alert> changed)
    {
        foreach (Alert alert in changed)
        {
            events.Publish("alert", alert);
        }
    }
}
