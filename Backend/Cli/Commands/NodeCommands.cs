using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap nodes</c>.</summary>
internal static class NodeCommands
{
    private static readonly Argument<string> s_node = new Argument<string>("node") { Description = "Name or id." }
        .Suggests<Argument<string>, Node>("nodes", n => n.Name);

    /// <summary>Words that choose nodes.</summary>
    public static Option<string> Select { get; } =
        new("--select") { Description = "Words as in the page's filter, such as 'tag:camera state:online'." };

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "New name, which becomes the host name at the next installation." };
        var seconds = new Option<int>("--seconds") { Description = "How long it blinks; 0 ends it.", DefaultValueFactory = _ => 60 };
        return new Command("nodes", "Show, name, tag and find the nodes.")
        {
            new Command("list", "All nodes, or those that --select takes.") { Select }.Lists<Node>(
                PathOf,
                ["NAME", new("ID", 8), new("DISK IS", 1), "CONNECTED AS", new("MARK", 4), new("DOING", 2), new("ADDRESS", 3),
                    new("MODEL", 6), new("IMAGE", 5), new("LOCATION", 7), new("TAGS", 7)],
                node => [node.Name, node.Id, node.WantsApproval ? "new key!" : node.Lifecycle, node.Link, node.Mark == "none" ? ""
                    : node.Mark, Doing(node.Task),
                    node.Address ?? "", node.Inventory.Model, node.ImageName ?? "", node.Location, string.Join(' ', node.Tags)]),
            NodeInventoryCommands.CreateShow(s_node),
            NodeInventoryCommands.CreateSet(s_node),
            NodeInventoryCommands.CreateExport(),
            NodeInventoryCommands.CreateAcknowledge(),
            AnsibleCommand.Create(),
            new Command("log", "What a node told of itself.") { s_node }.WithTable().Does(async (client, parsed, cancellation) =>
                ClientCommand.Show(parsed, await client.GetAsync<IReadOnlyList<LogLine>>($"{Path(parsed)}/log", cancellation),
                    ["TIME", "LINE"], line => [Output.Time(line.At), line.Line])),
            new Command("locate", "Blink a node's activity LED, to find the board.") { s_node, seconds }
                .Does(async (client, parsed, cancellation) =>
            {
                Blinking blinking = await client.PostAsync<Blinking>($"{Path(parsed)}/locate", new { seconds = parsed.GetValue(seconds) },
                    cancellation);
                Console.WriteLine(blinking.Seconds == 0 ? $"{blinking.Led} blinks no more"
                    : $"{blinking.Led} blinks for {blinking.Seconds} s");
                return 0;
            }),
            new Command("rename", "Call a node something else.") { s_node, name }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Patch, Path(parsed), new { name = parsed.GetRequiredValue(name) }, cancellation);
                return 0;
            }),
            ApprovalCommands.CreateUnapproved(),
            ApprovalCommands.CreateApprove(),
            ApprovalCommands.CreateReject(),
            new Command("forget", "Remove a node; its certificate is void at once.") { s_node }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Delete, Path(parsed), null, cancellation);
                return 0;
            }),
        };

        string Path(ParseResult parsed) => PathOf(parsed.GetRequiredValue(s_node));
    }

    /// <summary>Where the API has a node.</summary>
    public static string PathOf(string node) => $"nodes/{Uri.EscapeDataString(node)}";

    /// <summary>All nodes, or those that <see cref="Select"/> takes.</summary>
    public static Task<IReadOnlyList<Node>> GetAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation) =>
        client.GetAsync<IReadOnlyList<Node>>(PathOf(parsed), cancellation);

    private static string PathOf(ParseResult parsed) => parsed.GetValue(Select) is { } words
        ? $"nodes?select={Uri.EscapeDataString(words)}" : "nodes";

    private static string Doing(NodeTask? task) => task is null ? ""
        : $"{task.Kind}: {(task.Phase.Length > 0 ? task.Phase : task.State)}" +
            (task.Fraction is { } fraction && task.Phase.Length > 0 ? $" {Output.Percent(fraction)}" : "");
}
