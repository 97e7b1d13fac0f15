using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Agent.Status;

/// <summary>
/// Looks at each reading for what the appliance wants to be told at once, so that nothing travels while all is well. Thread-safe: readings
/// and the appliance come each on a thread of their own.
/// </summary>
/// <param name="send">Puts a message on the link.</param>
/// <param name="clock">Times what lasts; the machine's own clock may be set meanwhile.</param>
public sealed class AlertWatch(Action<LinkMessage> send, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ConditionWatch> _rules = [];

    /// <summary>Takes the rules; what is known of one that stays as it was is kept. Tells at once what is met.</summary>
    public void Hear(WatchAlerts rules)
    {
        lock (_lock)
        {
            foreach (string gone in _rules.Keys.Where(name => !rules.Rules.ContainsKey(name)).ToList())
            {
                _rules.Remove(gone);
            }
            foreach ((string name, AlertCondition condition) in rules.Rules.Take(WatchAlerts.Most))
            {
                if (_rules.GetValueOrDefault(name)?.Condition != condition)
                {
                    _rules[name] = new ConditionWatch(condition, clock);
                }
            }
            Tell();
        }
    }

    /// <summary>Takes a reading.</summary>
    public void Add(StatusReading reading)
    {
        lock (_lock)
        {
            bool changed = false;
            foreach (ConditionWatch rule in _rules.Values)
            {
                changed |= rule.Add(reading);
            }
            if (changed)
            {
                Tell();
            }
        }
    }

    private void Tell() => send(new MetConditions(
        [.. _rules.Where(rule => rule.Value.IsMet).Select(rule => rule.Value.As(rule.Key))]));
}
