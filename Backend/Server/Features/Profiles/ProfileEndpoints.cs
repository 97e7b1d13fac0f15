using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Profiles;

/// <summary><c>/profiles</c>: how installed systems are made their nodes' own; <c>/values</c>: what differs between groups and
/// nodes.</summary>
internal static class ProfileEndpoints
{
    private const int MaximumValues = 200, MaximumValue = 4096;

    /// <param name="Node">Name or id.</param>
    /// <param name="Profile">In the place of the one that is stored, or for one that is not stored yet.</param>
    internal sealed record PreviewWish(string Node, Profile? Profile = null);

    /// <param name="Nodes">Ids.</param>
    internal sealed record CheckWish(IReadOnlyList<NodeId> Nodes);

    /// <summary>Whether a profile fits a node.</summary>
    /// <param name="HostName">Null: it does not fit.</param>
    internal sealed record Fit(NodeId Node, string NodeName, string? HostName, IReadOnlyList<ProfileFault> Faults);

    /// <summary>What one node would get, with "(secret)" in the place of secrets.</summary>
    internal sealed record Preview(
        NodeId Node, string NodeName, string HostName, IReadOnlyList<SystemUser> Users, string Locale, SystemKeyboard? Keyboard,
        string TimeZone, SystemWireless? Wifi,
        IReadOnlyList<SystemNetwork> Networks, IReadOnlyList<string> Packages, IReadOnlyList<PreviewFile> Files, string FirstBootScript,
        string CloudInit,
        IReadOnlyList<string> KeptPaths);

    /// <param name="Mode">In octal.</param>
    internal sealed record PreviewFile(string Path, string Owner, string Mode, string Content);

    /// <param name="Groups">Tag → name → value.</param>
    /// <param name="Nodes">Id → name → value.</param>
    internal sealed record AllValues(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Groups,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Nodes);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/profiles", (ProfileStore profiles) => profiles.All());
        api.MapGet("/profiles/{name}", (string name, ProfileStore profiles) => profiles.Find(name) is { } profile ? Results.Ok(profile)
            : Missing(name));
        api.MapPut("/profiles/{name}", (string name, Profile wanted, ProfileStore profiles) =>
        {
            if (Named(wanted, name, out Profile named) is { } refusal)
            {
                return refusal;
            }
            (Profile profile, ProfileSecrets secrets, IReadOnlyList<ProfileFault> faults) = profiles.Consider(named);
            if (faults.Count > 0)
            {
                return Faulty(faults, "Nothing was changed.");
            }
            profiles.Put(profile, secrets);
            return Results.Ok(profiles.Find(name));
        }).WithSummary("Add or change a profile");
        api.MapDelete("/profiles/{name}", (string name, ProfileStore profiles) =>
            profiles.Remove(name, out string? user) ? Results.NoContent()
            : user is null ? Missing(name)
            : Problems.Conflict($"The profile '{name}' is used by {user}: end or change that first.")).WithSummary("Remove a profile");
        api.MapPost("/profiles/{name}/preview", (string name, PreviewWish wish, ProfileStore profiles, NodeDirectory nodes) =>
        {
            if (FindNode(nodes, wish.Node) is not { } node)
            {
                return Problems.Bad($"There is no node '{wish.Node}': see the list of nodes for names and ids.");
            }
            if ((wish.Profile ?? profiles.Find(name)) is not { } wanted)
            {
                return Missing(name);
            }
            if (Named(wanted, name, out Profile named) is { } refusal)
            {
                return refusal;
            }
            (Profile profile, ProfileSecrets secrets, IReadOnlyList<ProfileFault> faults) = profiles.Consider(named);
            if (faults.Count > 0)
            {
                return Faulty(faults, "");
            }
            return ProfileRenderer.Render(profile, secrets.Masked(), profiles.ScopeOf(node.Id)!, out faults) is { } rendered
                ? Results.Ok(Show(node, profile, rendered))
                : Faulty(faults, "");
        }).WithSummary("Preview a profile").OnlyReads();
        api.MapPost("/profiles/{name}/check", (string name, CheckWish wish, ProfileStore profiles, NodeDirectory nodes) =>
            profiles.Find(name) is { } profile ? Results.Ok(Check(profile, wish, profiles, nodes))
                : Missing(name)).WithSummary("Check a profile").OnlyReads();
        api.MapGet("/values", (ProfileStore profiles) => new AllValues(profiles.GroupValues(), profiles.NodeValues()));
        api.MapGet("/values/groups/{tag}", (string tag, ProfileStore profiles) => Of(profiles.GroupValues(), tag));
        api.MapPut("/values/groups/{tag}", (string tag, Dictionary<string, string> values, ProfileStore profiles) =>
        {
            string? fault = NodeEdit.IsTag(tag) ? Validate(values) : $"'{tag}' is not a tag: use 1 to 32 of a-z, 0-9, '-' and '_'.";
            if (fault is not null)
            {
                return Problems.Bad($"{fault} Nothing was changed.");
            }
            profiles.PutGroup(tag, values);
            return Results.Ok(Of(profiles.GroupValues(), tag));
        }).WithSummary("Set a group's values");
        api.MapGet("/values/nodes/{node}", (string node, ProfileStore profiles, NodeDirectory nodes) =>
            FindNode(nodes, node) is { } found ? Results.Ok(Of(profiles.NodeValues(), found.Id.ToString()))
                : Problems.NotFound($"There is no node '{node}'."));
        api.MapPut("/values/nodes/{node}", (string node, Dictionary<string, string> values, ProfileStore profiles, NodeDirectory nodes) =>
        {
            if (FindNode(nodes, node) is not { } found)
            {
                return Problems.NotFound($"There is no node '{node}'.");
            }
            if (Validate(values) is { } fault)
            {
                return Problems.Bad($"{fault} Nothing was changed.");
            }
            profiles.PutNode(found.Id, values);
            return Results.Ok(Of(profiles.NodeValues(), found.Id.ToString()));
        }).WithSummary("Set a node's values");
    }

    /// <summary>Gives a profile the name of its address; null: nothing speaks against that.</summary>
    private static IResult? Named(Profile wanted, string name, out Profile named)
    {
        named = wanted with { Name = name };
        return wanted.Name.Length > 0 && wanted.Name != name
            ? Problems.Bad($"The profile is called '{wanted.Name}' here and '{name}' in the address.")
            : wanted.HasHoles ? Problems.Bad("A list of the profile has null in it: give a value, or leave it out.")
            : null;
    }

    /// <summary>What an order for these nodes would be refused for, all of it at once; nodes that are gone are left out.</summary>
    private static List<Fit> Check(Profile kept, CheckWish wish, ProfileStore profiles, NodeDirectory nodes)
    {
        (Profile profile, ProfileSecrets secrets, _) = profiles.Consider(kept);
        HashSet<NodeId> wanted = [.. wish.Nodes];
        var names = new Dictionary<string, string>();
        var fits = new List<Fit>();
        foreach (NodeView node in nodes.List().Where(n => wanted.Contains(n.Id)))
        {
            if (profiles.ScopeOf(node.Id) is not { } scope)
            {
                continue;
            }
            string? hostName = ProfileRenderer.Render(profile, secrets, scope, out IReadOnlyList<ProfileFault> faults)?.HostName;
            if (hostName is not null && !names.TryAdd(hostName, node.Name))
            {
                faults = [new ProfileFault("hostName", $"{names[hostName]} would be called '{hostName}' too")];
                hostName = null;
            }
            fits.Add(new Fit(node.Id, node.Name, hostName, faults));
        }
        return fits;
    }

    /// <summary>A refusal for people (the sentences) and for programs (the list).</summary>
    private static IResult Faulty(IReadOnlyList<ProfileFault> faults, string consequence) => Results.Problem(
        $"{ProfileFault.Sentences(faults)} {consequence}".TrimEnd(), statusCode: StatusCodes.Status400BadRequest,
        extensions: new Dictionary<string, object?> { ["faults"] = faults });

    private static Preview Show(NodeView node, Profile profile, RenderedProfile rendered)
    {
        SystemProfile system = rendered.System;
        return new Preview(node.Id, node.Name, rendered.HostName, system.Users, system.Locale, system.Keyboard, system.TimeZone,
            system.Wireless, system.Networks,
            rendered.Packages,
            [.. system.Files.Select(f => new PreviewFile(f.Path, $"{f.Owner}:{f.Group}", "0" + Convert.ToString(f.Mode, 8).PadLeft(3, '0'),
            f.Content))],
            system.FirstBootScript, system.UserData, profile.KeptPaths!);
    }

    private static string? Validate(Dictionary<string, string> values) =>
        values.Count > MaximumValues ? $"These are {values.Count} values; {MaximumValues} are possible."
        : values.Keys.Select(ProfileRules.ValueName).FirstOrDefault(fault => fault.Length > 0) is { } wrong ? $"{wrong}."
        : values.FirstOrDefault(v => v.Value is null || v.Value.Length > MaximumValue
            || v.Value.Contains('\0', StringComparison.Ordinal)) is { Key: { } bad }
            ? $"The value '{bad}' is no text of at most {MaximumValue} characters."
        : null;

    private static IReadOnlyDictionary<string, string> Of(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> all,
        string key) =>
        all.GetValueOrDefault(key) ?? new Dictionary<string, string>();

    private static NodeView? FindNode(NodeDirectory nodes, string wanted) =>
        nodes.List().FirstOrDefault(n => n.Name == wanted || n.Id.ToString() == wanted.ToLowerInvariant());

    private static IResult Missing(string name) => Problems.NotFound($"There is no profile '{name}'.");
}
