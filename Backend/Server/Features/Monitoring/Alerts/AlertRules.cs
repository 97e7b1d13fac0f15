using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Monitoring.Alerts;

/// <summary>Where a rule comes from.</summary>
public enum RuleOrigin
{
    /// <summary>The appliance came with it.</summary>
    BuiltIn,

    /// <summary>It did, and somebody has changed it.</summary>
    Changed,

    /// <summary>Somebody has made it.</summary>
    Own,
}

/// <summary>A rule as people see it.</summary>
internal sealed record AlertRuleView(AlertRule Rule, RuleOrigin Origin);

/// <summary>Keeps what people have changed of the rules.</summary>
internal sealed class AlertRules(SettingsStore settings)
{
    private const string Key = "alert-rules";

    private readonly Lock _changing = new();
    private volatile IReadOnlyList<AlertRule> _all = Together(Own(settings));

    /// <summary>Told after each change.</summary>
    public event Action? Changed;

    /// <summary>Those that an appliance comes with, as they are now, and then those of people, by name. It waits for nothing: whoever
    /// writes to the database may ask, while a change waits for the database.</summary>
    public IReadOnlyList<AlertRule> All() => _all;

    /// <summary>The same, each with where it comes from.</summary>
    public IReadOnlyList<AlertRuleView> View() => [.. All().Select(rule => new AlertRuleView(rule,
        AlertRule.BuiltIn.Contains(rule) ? RuleOrigin.BuiltIn
        : AlertRule.BuiltIn.Any(built => built.Name == rule.Name) ? RuleOrigin.Changed : RuleOrigin.Own))];

    /// <summary>Stores a sound one in the place of one of its name.</summary>
    public void Put(AlertRule rule) => Change(own => [.. own.Where(r => r.Name != rule.Name), rule]);

    /// <summary>Removes one of people's; one that the appliance came with is again as it came.</summary>
    /// <returns>False where there is nothing to remove.</returns>
    public bool Remove(string name) => Change(own => own.Where(rule => rule.Name != name));

    /// <returns>False where it changes nothing.</returns>
    private bool Change(Func<IReadOnlyList<AlertRule>, IEnumerable<AlertRule>> change)
    {
        lock (_changing)
        {
            IReadOnlyList<AlertRule> before = Own(settings);
            AlertRule[] own = [.. change(before)];
            if (own.SequenceEqual(before))
            {
                return false;
            }
            settings.Set(Key, own);
            _all = Together(own);
        }
        Changed?.Invoke();
        return true;
    }

    private static IReadOnlyList<AlertRule> Own(SettingsStore settings) => settings.Get<AlertRule[]>(Key) ?? [];

    private static IReadOnlyList<AlertRule> Together(IReadOnlyList<AlertRule> own) =>
    [
        .. AlertRule.BuiltIn.Select(built => own.FirstOrDefault(rule => rule.Name == built.Name) ?? built),
        .. own.Where(rule => AlertRule.BuiltIn.All(built => built.Name != rule.Name)).OrderBy(rule => rule.Name, StringComparer.Ordinal),
    ];
}
