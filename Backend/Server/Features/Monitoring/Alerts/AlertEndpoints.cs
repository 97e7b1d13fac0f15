using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Monitoring.Alerts;

/// <summary><c>/alerts</c>: what is wrong with nodes, and <c>/alerts/rules</c>: when that is said.</summary>
internal static class AlertEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/alerts", (AlertStore alerts) => alerts.All()).WithSummary("What is wrong with nodes, and was");
        api.MapGet("/alerts/rules", (AlertRules rules) => rules.View()).WithSummary("When an alert is raised");
        api.MapGet("/alerts/metrics", () => Metrics.All.Concat(ApplianceMetrics.All)).WithSummary("What a rule can be about");
        api.MapPut("/alerts/rules/{name}", (string name, AlertRule rule, AlertRules rules) =>
        {
            if (rule.Name != name)
            {
                return Problems.Bad($"The rule is called '{rule.Name}' and its address '{name}'.");
            }
            if (rule.Validate() is { } fault)
            {
                return Problems.Bad($"{fault} Nothing was changed.");
            }
            if (rules.All().Count >= WatchAlerts.Most && rules.All().All(known => known.Name != name))
            {
                return Problems.Bad($"There can be {WatchAlerts.Most} rules. Nothing was changed.");
            }
            rules.Put(rule);
            return Results.Ok(rules.View().First(view => view.Rule.Name == name));
        }).WithSummary("Make or change a rule");
        api.MapDelete("/alerts/rules/{name}", (string name, AlertRules rules) =>
            rules.Remove(name) ? Results.NoContent()
            : AlertRule.BuiltIn.Any(rule => rule.Name == name)
                ? Problems.Bad($"The rule '{name}' is as the appliance came with it: disable it instead.")
            : Problems.NotFound($"There is no rule '{name}'.")).WithSummary("Remove a rule, or put a built-in one back");
    }
}
