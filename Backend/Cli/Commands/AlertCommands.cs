using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap alerts</c>: what is wrong with nodes, and when that is said.</summary>
internal static class AlertCommands
{
    private sealed record Alert(string NodeName, string Title, string Text, long StartedAt, long? EndedAt, string Muted);

    private sealed record Rule(string Name, string Title, string Metric, string Comparison, double Threshold, int ForSeconds,
        string? Select, bool Enabled);

    private sealed record RuleView(Rule Rule, string Origin);

    private static readonly Argument<string> s_name = new("name") { Description = "The rule's name." };

    public static Command Create() => new("alerts", "See what is wrong with nodes, and say when it is.")
    {
        new Command("list", "What is wrong with nodes, and was in the last days.").Lists<Alert>(_ => "alerts",
            ["NODE", "ALERT", new("VALUE", 1), new("SINCE", 2), new("ENDED", 3), new("MUTED", 4)],
            alert => [alert.NodeName, alert.Title, alert.Text, Output.Time(alert.StartedAt),
                alert.EndedAt is { } ended ? Output.Time(ended) : "", alert.Muted]),
        new Command("rules", "When an alert is raised.").Lists<RuleView>(_ => "alerts/rules",
            ["NAME", "METRIC", "WHEN", new("SECONDS", 1), new("NODES", 2), "ENABLED", new("ORIGIN", 3)],
            view => [view.Rule.Name, view.Rule.Metric,
                string.Create(CultureInfo.InvariantCulture, $"{view.Rule.Comparison} {view.Rule.Threshold}"),
                view.Rule.ForSeconds.ToString(CultureInfo.InvariantCulture), view.Rule.Select ?? "all", view.Rule.Enabled ? "yes" : "no",
                view.Origin]),
        CreateSet(),
        new Command("enable", "Look at a rule.") { s_name }.Does((client, parsed, cancellation) =>
            ChangeAsync(client, parsed, rule => rule with { Enabled = true }, cancellation)),
        new Command("disable", "Look at a rule no more.") { s_name }.Does((client, parsed, cancellation) =>
            ChangeAsync(client, parsed, rule => rule with { Enabled = false }, cancellation)),
        new Command("remove", "Remove a rule of yours, or put a built-in one back as it came.") { s_name }
            .Does(async (client, parsed, cancellation) =>
        {
            await client.SendAsync(HttpMethod.Delete, Path(parsed), null, cancellation);
            return 0;
        }),
    };

    private static Command CreateSet()
    {
        var metric = new Option<string?>("--metric") { Description = "What is looked at, such as temperature or 'fs.used[/var]'." };
        var above = new Option<double?>("--above") { Description = "Alert when it is greater." };
        var below = new Option<double?>("--below") { Description = "Alert when it is less." };
        var offBy = new Option<double?>("--off-by") { Description = "Alert when it is farther from 0." };
        var risesBy = new Option<double?>("--rises-by") { Description = "Alert when it rises by more within --for." };
        var seconds = new Option<int?>("--for") { Description = "For so many seconds.", HelpName = "SECONDS" };
        var title = new Option<string?>("--title") { Description = "What people read (the name)." };
        (Option<double?> Option, string Word)[] comparisons =
            [(above, "above"), (below, "below"), (offBy, "off-by"), (risesBy, "rises-by")];
        var command = new Command("set", "Make a rule, or change one: what is not given stays as it is.")
        {
            s_name, metric, above, below, offBy, risesBy, seconds, NodeCommands.Select, title,
        };
        command.Validators.Add(result =>
        {
            if (comparisons.Count(c => result.GetResult(c.Option) is { Implicit: false }) > 1)
            {
                result.AddError("Only one of --above, --below, --off-by and --rises-by can be given.");
            }
        });
        return command.Does(async (client, parsed, cancellation) =>
        {
            string name = parsed.GetRequiredValue(s_name);
            Rule? known = await FindAsync(client, name, cancellation);
            (Option<double?> Option, string Word) chosen = comparisons.FirstOrDefault(c => parsed.GetValue(c.Option) is not null);
            if (known is null && (parsed.GetValue(metric) is null || chosen.Option is null))
            {
                throw new CliException($"There is no rule '{name}' yet: give --metric and one of --above, --below, --off-by, --rises-by.");
            }
            Rule rule = known ?? new Rule(name, name, "", "", 0, 0, null, true);
            rule = rule with
            {
                Title = parsed.GetValue(title) ?? rule.Title,
                Metric = parsed.GetValue(metric) ?? rule.Metric,
                Comparison = chosen.Word ?? rule.Comparison,
                Threshold = chosen.Option is null ? rule.Threshold : parsed.GetValue(chosen.Option)!.Value,
                ForSeconds = parsed.GetValue(seconds) ?? rule.ForSeconds,
                Select = parsed.GetValue(NodeCommands.Select) is { } select ? (select == "all" ? null : select) : rule.Select,
            };
            return await PutAsync(client, parsed, rule, cancellation);
        });
    }

    private static async Task<int> ChangeAsync(
        ApplianceClient client, ParseResult parsed, Func<Rule, Rule> change, CancellationToken cancellation)
    {
        string name = parsed.GetRequiredValue(s_name);
        Rule rule = await FindAsync(client, name, cancellation) ?? throw new CliException($"There is no rule '{name}'.");
        return await PutAsync(client, parsed, change(rule), cancellation);
    }

    private static async Task<int> PutAsync(ApplianceClient client, ParseResult parsed, Rule rule, CancellationToken cancellation)
    {
        await client.SendAsync<RuleView>(HttpMethod.Put, Path(parsed), JsonContent.Create(rule), cancellation);
        return 0;
    }

    private static async Task<Rule?> FindAsync(ApplianceClient client, string name, CancellationToken cancellation) =>
        (await client.GetAsync<IReadOnlyList<RuleView>>("alerts/rules", cancellation)).FirstOrDefault(view => view.Rule.Name == name)?.Rule;

    private static string Path(ParseResult parsed) => $"alerts/rules/{Uri.EscapeDataString(parsed.GetRequiredValue(s_name))}";
}
