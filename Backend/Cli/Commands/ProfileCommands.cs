using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap profiles</c>: how installed systems are made their nodes' own.</summary>
internal static class ProfileCommands
{
    private sealed record Wireless(string Ssid);

    private sealed record Profile(
        string Name, string Description, string HostName, IReadOnlyList<Named> Users, string TimeZone, Wireless? Wifi,
        IReadOnlyList<string> Packages,
        IReadOnlyList<JsonElement> Files);

    private sealed record AllValues(Dictionary<string, Dictionary<string, string>> Groups,
        Dictionary<string, Dictionary<string, string>> Nodes);

    private sealed record Fault(string Place, string Reason);

    private sealed record Fit(string NodeName, string? HostName, IReadOnlyList<Fault> Faults);

    private sealed record Applied(string Name, string Result);

    private static readonly Argument<string> s_name = new("name") { Description = "The profile's name." };

    public static Command Create()
    {
        var node = new Argument<string>("node") { Description = "Name or id of a node." };
        return new Command("profiles", "How installed systems are made their nodes' own: users, network, files, packages and more.")
        {
            new Command("list", "All profiles.").WithTable().Does(async (client, parsed, cancellation) =>
                ClientCommand.Show(parsed, await client.GetAsync<IReadOnlyList<Profile>>("profiles", cancellation),

                    ["NAME", new("DESCRIPTION", 2), "HOST NAME", new("USERS", 1), new("TIME ZONE", 4), new("WI-FI", 4), new("PACKAGES", 3),
                        new("FILES", 3)],
                    p => [p.Name, p.Description, p.HostName, string.Join(' ', p.Users.Select(u => u.Name)), p.TimeZone, p.Wifi?.Ssid ?? "",
                        $"{p.Packages.Count}", $"{p.Files.Count}"])),
            new Command("show",
                "One profile, as `apply` takes it; its secrets are not in it, and stay as they are when it is applied.") { s_name }
                .Does(ShowAsync),
            CreateApply(),
            new Command("delete", "Forget a profile that no schedule and no open job uses.") { s_name }
                .Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Delete, Path(parsed), null, cancellation);
                return 0;
            }),
            new Command("preview", "What one node would get by a profile.") { s_name, node }.Does(async (client, parsed, cancellation) =>
                Print(parsed, await client.PostAsync<JsonElement>($"{Path(parsed)}/preview", new { node = parsed.GetRequiredValue(node) },
                    cancellation))),
            new Command("check",
                "Whether a profile fits nodes; exit code 1 where it does not fit one.") { s_name, JobCommands.Nodes, NodeCommands.Select }
                .WithTable().Does(CheckAsync),
            new Command("values", "What groups (tags) and nodes say for {{ value.NAME }}.").WithTable()
                .Does(async (client, parsed, cancellation) =>
            {
                AllValues all = await client.GetAsync<AllValues>("values", cancellation);
                Dictionary<string, string> names = (await NodeCommands.GetAsync(client, parsed, cancellation))
                    .ToDictionary(n => n.Id, n => n.Name);
                (string Of, string Name, string Value)[] rows =
                [
                    .. all.Groups.SelectMany(g => g.Value.Select(v => ($"group {g.Key}", v.Key, v.Value))),
                    .. all.Nodes.SelectMany(n => n.Value.Select(v => ($"node {names.GetValueOrDefault(n.Key, n.Key)}", v.Key, v.Value))),
                ];
                return ClientCommand.Show(parsed, [.. rows.Select(r => new { of = r.Of, name = r.Name, value = r.Value })],
                    ["OF", "NAME", "VALUE"], r => [r.of, r.name, r.value]);
            }),
            CreateSet(),
        };
    }

    private static Command CreateApply()
    {
        var file = new Option<string>("--file",
            "-f")
        { Description = "YAML with 'profiles' and, for what differs, 'values'.", Required = true, HelpName = "FILE" };
        return new Command("apply",
            "Make the profiles of a file, or change those that differ, and set its values; others stay as they are.") { file }
            .Does(async (client, parsed, cancellation) =>
            {
                ProfileFile wanted = ProfileFile.Read(parsed.GetRequiredValue(file));
                Dictionary<string, JsonElement> before = (await client.GetAsync<IReadOnlyList<JsonElement>>("profiles", cancellation))
                    .ToDictionary(p => p.GetProperty("name").GetString()!);
                var results = new List<Applied>();
                foreach (ProfileFile.Entry entry in wanted.Profiles)
                {
                    JsonElement after = await PutAsync(client, $"profiles/{Uri.EscapeDataString(entry.Name)}", entry,
                        $"profile '{entry.Name}'", cancellation);
                    results.Add(new Applied(entry.Name, !before.TryGetValue(entry.Name, out JsonElement known) ? "added"
                        : JsonElement.DeepEquals(known, after) ? "unchanged" : "changed"));
                }
                foreach ((string tag, Dictionary<string, string> values) in wanted.Values.Groups)
                {
                    await PutAsync(client, $"values/groups/{Uri.EscapeDataString(tag)}", values, $"group '{tag}'", cancellation);
                    results.Add(new Applied($"group {tag}", "set"));
                }
                foreach ((string node, Dictionary<string, string> values) in wanted.Values.Nodes)
                {
                    await PutAsync(client, $"values/nodes/{Uri.EscapeDataString(node)}", values, $"node '{node}'", cancellation);
                    results.Add(new Applied($"node {node}", "set"));
                }
                return ClientCommand.Show(parsed, results, ["NAME", "RESULT"], r => [r.Name, r.Result]);
            });
    }

    private static Command CreateSet()
    {
        var group = new Option<string?>("--group") { Description = "A tag: all nodes with it.", HelpName = "tag" };
        var node = new Option<string?>("--node") { Description = "Name or id of a node.", HelpName = "name" };
        var values = new Argument<string[]>("values") { Description = "NAME=VALUE; NAME= forgets one.", Arity = ArgumentArity.OneOrMore };
        return new Command("set",
            "Say what {{ value.NAME }} is for a group or a node; other values stay. No secrets: values are shown.") { group, node, values }
            .Does(async (client, parsed, cancellation) =>
            {
                string path = (parsed.GetValue(group), parsed.GetValue(node)) switch
                {
                    ({ } tag, null) => $"values/groups/{Uri.EscapeDataString(tag)}",
                    (null, { } name) => $"values/nodes/{Uri.EscapeDataString(name)}",
                    _ => throw new CliException("name a group (--group TAG) or a node (--node NAME)") { ExitCode = 2 },
                };
                Dictionary<string, string> all = await client.GetAsync<Dictionary<string, string>>(path, cancellation);
                foreach (string[] words in parsed.GetRequiredValue(values).Select(v => v.Split('=', 2)))
                {
                    if (words is not [var name, var value])
                    {
                        throw new CliException($"a value is NAME=VALUE, and not '{words[0]}'") { ExitCode = 2 };
                    }
                    all.Remove(name);
                    if (value.Length > 0)
                    {
                        all[name] = value;
                    }
                }
                all = await client.SendAsync<Dictionary<string, string>>(HttpMethod.Put, path, JsonContent.Create(all), cancellation);
                return ClientCommand.Show(parsed, [.. all.OrderBy(v => v.Key, StringComparer.Ordinal)], ["NAME", "VALUE"],
                    v => [v.Key, v.Value]);
            });
    }

    private static async Task<int> ShowAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(await client.GetAsync<JsonElement>(Path(parsed), cancellation));
        }
        else
        {
            ProfileFile.Entry profile = await client.GetAsync<ProfileFile.Entry>(Path(parsed), cancellation);
            Console.Write(YamlFile.Write(new ProfileFile { Profiles = [profile] }));
        }
        return 0;
    }

    private static async Task<JsonElement> PutAsync(ApplianceClient client, string path, object body, string what,
        CancellationToken cancellation)
    {
        try
        {
            return await client.SendAsync<JsonElement>(HttpMethod.Put, path, JsonContent.Create(body), cancellation);
        }
        catch (CliException e)
        {
            throw new CliException($"{what}: {e.Message}", e);
        }
    }

    private static async Task<int> CheckAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation)
    {
        Node[] nodes = await JobCommands.ChosenAsync(client, parsed, cancellation);
        IReadOnlyList<Fit> fits = await client.PostAsync<IReadOnlyList<Fit>>($"{Path(parsed)}/check",
            new { nodes = nodes.Select(n => n.Id) }, cancellation);
        ClientCommand.Show(parsed, fits, ["NODE", "HOST NAME", "FAULT"],
            f => [f.NodeName, f.HostName ?? "", string.Join(' ', f.Faults.Select(fault => $"{fault.Place}: {fault.Reason}"))]);
        return fits.All(f => f.Faults.Count == 0) ? 0 : 1;
    }

    /// <summary>Short parts as a table, then each text as it would be written.</summary>
    private static int Print(ParseResult parsed, JsonElement preview)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(preview);
            return 0;
        }
        string[] texts = ["files", "firstBootScript", "cloudInit"];
        Output.Table(["PART", "VALUE"], preview.EnumerateObject()
            .Where(part => !texts.Contains(part.Name) && part.Value.ToString() is not ("" or "[]"))
            .Select(part => new[] { part.Name, part.Value.ToString() }));
        foreach (JsonElement file in preview.GetProperty("files").EnumerateArray())
        {
            string Word(string name) => file.GetProperty(name).GetString()!;
            PrintText($"{Word("path")} ({Word("owner")}, {Word("mode")})", Word("content"));
        }
        PrintText("first-boot script", preview.GetProperty("firstBootScript").GetString()!);
        PrintText("user-data", preview.GetProperty("cloudInit").GetString()!);
        return 0;
    }

    private static void PrintText(string title, string text)
    {
        if (text.Length > 0)
        {
            Console.WriteLine($"\n--- {title}\n{text.TrimEnd('\n')}");
        }
    }

    private static string Path(ParseResult parsed) => $"profiles/{Uri.EscapeDataString(parsed.GetRequiredValue(s_name))}";
}
