using System.CommandLine;
using System.Text.Json;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap nodes show, set, export, acknowledge</c>: what is known of the boards, and what people say of them.</summary>
internal static class NodeInventoryCommands
{
    private const string All = "all";

    public static Command CreateShow(Argument<string> node) =>
        new Command("show", "All that is known of a node, and what has changed.") { node }
        .Does(async (client, parsed, cancellation) =>
        {
            string path = NodeCommands.PathOf(parsed.GetRequiredValue(node));
            if (parsed.GetValue(ClientCommand.Json))
            {
                Output.Json(new
                {
                    node = await client.GetAsync<JsonElement>(path, cancellation),
                    changes = await client.GetAsync<JsonElement>($"{path}/changes", cancellation),
                });
                return 0;
            }
            Node shown = await client.GetAsync<Node>(path, cancellation);
            Output.Table(["", ""], Facts(shown).Where(fact => fact[1].Length > 0));
            IReadOnlyList<NodeChange> changes = await client.GetAsync<IReadOnlyList<NodeChange>>($"{path}/changes", cancellation);
            if (changes.Count > 0)
            {
                Console.WriteLine();
                Output.Table(["CHANGED", "WHAT", new("BY", 2), new("FROM", 1), "TO"],
                    changes.Select(c => new[] { Output.Time(c.At), c.Field, c.Source, c.Old, c.New }));
            }
            return 0;
        });

    public static Command CreateSet(Argument<string> node)
    {
        var tag = new Option<string[]>(
            "--tag")
        { Description = "Add a tag: 1 to 32 of a-z, 0-9, '-' and '_'. May be given more than once." };
        var untag = new Option<string[]>("--untag") { Description = "Take a tag away." };
        var note = new Option<string?>("--note") { Description = "Free text; '' for none." };
        var location = new Option<string?>("--location") { Description = "Where it is; '' for nowhere." };
        return new Command("set", "Tag a node, note something, say where it is.") { node, tag, untag, note, location }
            .Does(async (client, parsed, cancellation) =>
        {
            var edit = new
            {
                addTags = parsed.GetValue(tag),
                removeTags = parsed.GetValue(untag),
                note = parsed.GetValue(note),
                location = parsed.GetValue(location),
            };
            if (edit is { addTags: null or [], removeTags: null or [], note: null, location: null })
            {
                throw new CliException("nothing is to be set: give --tag, --untag, --note or --location") { ExitCode = 2 };
            }
            await client.SendAsync(HttpMethod.Patch, NodeCommands.PathOf(parsed.GetRequiredValue(node)), edit, cancellation);
            return 0;
        });
    }

    public static Command CreateExport()
    {
        var csv = new Option<bool>("--csv") { Description = "For spreadsheets, one line a node." };
        var file = new Argument<string>("file") { Description = "Where to; '-' for standard output." };
        return new Command("export",
            "Write all that is known of all nodes, or of those that --select takes, to a file, as --csv or --json.") { csv,
            NodeCommands.Select, file }.Does(async (client, parsed, cancellation) =>
        {
            if (parsed.GetValue(csv) == parsed.GetValue(ClientCommand.Json))
            {
                throw new CliException("say which: --csv or --json") { ExitCode = 2 };
            }
            string target = parsed.GetRequiredValue(file);
            string path = parsed.GetValue(csv) ? "nodes.csv" : "nodes.json";
            await client.DownloadAsync(parsed.GetValue(NodeCommands.Select) is { } words ? $"{path}?select={Uri.EscapeDataString(words)}"
                : path, async (body, _) =>
            {
                try
                {
                    await using Stream output = target == "-" ? Console.OpenStandardOutput() : File.Create(target);
                    await body.CopyToAsync(output, cancellation);
                }
                catch (Exception e) when (e is UnauthorizedAccessException or IOException and not HttpIOException)
                {
                    throw new CliException($"{target} cannot be written: {e.Message}", e);
                }
            }, cancellation);
            return 0;
        });
    }

    public static Command CreateAcknowledge()
    {
        var nodes = new Argument<string[]>("nodes")
        {
            Description = "Names or ids; 'all' for every node.",
            Arity = ArgumentArity.OneOrMore
        };
        return new Command("acknowledge", "I have seen it: takes the marks 'new' and 'changed' away.") { nodes }
            .Does(async (client, parsed, cancellation) =>
        {
            string[] named = parsed.GetRequiredValue(nodes);
            IEnumerable<string> chosen = named is [All]
                ? (await client.GetAsync<IReadOnlyList<Node>>("nodes", cancellation)).Where(n => n.Mark != "none").Select(n => n.Id)
                : named;
            foreach (string node in chosen)
            {
                await client.SendAsync(HttpMethod.Post, $"{NodeCommands.PathOf(node)}/acknowledge", null, cancellation);
            }
            return 0;
        });
    }

    private static IEnumerable<string[]> Facts(Node node)
    {
        NodeInventory board = node.Inventory;
        yield return ["name", node.Name];
        yield return ["id", node.Id];
        yield return ["mark", node.Mark == "none" ? "" : node.Mark];
        yield return ["tags", string.Join(' ', node.Tags)];
        yield return ["location", node.Location];
        yield return ["note", node.Note];
        yield return ["connected as", node.Link];
        yield return ["disk is", node.Lifecycle];
        yield return ["image", node.ImageName ?? ""];
        yield return ["model", board.Model];
        yield return ["serial", board.Serial];
        yield return ["revision", node.Revision is { } r
            ? Words(board.Revision, r.Revision, r.Processor, r.Maker.Length > 0 ? $"made by {r.Maker}" : "") : board.Revision];
        yield return ["memory", $"{(node.Revision?.MemoryBytes ?? board.MemoryBytes) >> 20} MiB"];
        yield return ["processors", $"{board.Processors} ({board.Architecture})"];
        yield return ["firmware", board.Firmware];
        yield return ["system", board.System];
        yield return ["kernel", board.Kernel];
        yield return ["program", node.Version];
        foreach (NodeDisk disk in board.Disks)
        {
            yield return [disk.Name,
                Words(Output.Bytes(disk.SizeBytes), disk.Kind, disk.Model, disk.Card is null ? disk.Serial : Card(disk.Card))];
        }
        foreach (NodeInterface i in board.Interfaces)
        {
            yield return [i.Name,
                Words(i.Mac, !i.LinkUp ? "no link" : i.SpeedMbit > 0 ? $"{i.SpeedMbit} Mbit/s" : "", string.Join(' ', i.Addresses))];
            if (i.Switch is { } at)
            {
                yield return ["",
                    Words($"plugged into {(at.SystemName.Length > 0 ? at.SystemName : at.Chassis)}", $"port {at.Port}", at.PortDescription,
                    at.ManagementAddress)];
            }
        }
        yield return ["first seen", Output.Time(node.FirstSeen)];
        yield return ["last seen", Output.Time(node.LastSeen)];
    }

    private static string Card(NodeCard card) => Words(card.Manufacturer, card.Date, card.Serial,
        card.LifeUsedPercent is { } used ? (used > 100 ? "life time exceeded" : $"life time used up to {used} %") : "");

    private static string Words(params string[] words) => string.Join(", ", words.Where(w => w.Length > 0));
}
