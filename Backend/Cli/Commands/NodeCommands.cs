using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap nodes</c>.</summary>
internal static class NodeCommands
{
    private static readonly Argument<string> s_node = new("node") { Description = "Name or id." };

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "New name, which becomes the host name at the next installation." };
        return new Command("nodes", "Show and name the nodes.")
        {
            new Command("list", "All nodes.").Does(ListAsync),
            new Command("log", "What a node told of itself.") { s_node }.Does(async (client, parsed, cancellation) =>
                ClientCommand.Show(parsed, await client.GetAsync<IReadOnlyList<LogLine>>($"nodes/{Node(parsed)}/log", cancellation),
                    ["TIME", "LINE"], line => [Output.Time(line.At), line.Line])),
            new Command("rename", "Call a node something else.") { s_node, name }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Patch, $"nodes/{Node(parsed)}", new { name = parsed.GetRequiredValue(name) }, cancellation);
                return 0;
            }),
            new Command("approve", "Let a board with a new key be this node.") { s_node }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Post, $"nodes/{Node(parsed)}/approve", null, cancellation);
                return 0;
            }),
            new Command("forget", "Remove a node; its certificate is void at once.") { s_node }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Delete, $"nodes/{Node(parsed)}", null, cancellation);
                return 0;
            }),
        };
    }

    private static async Task<int> ListAsync(ApplianceClient client, ParseResult parsed, CancellationToken cancellation) =>
        ClientCommand.Show(parsed, await client.GetAsync<IReadOnlyList<Node>>("nodes", cancellation),
            ["NAME", "ID", "DISK IS", "CONNECTED AS", "DOING", "ADDRESS", "MODEL", "IMAGE"],
            node => [node.Name, node.Id, node.WantsApproval ? "new key!" : node.Lifecycle, node.Link, Doing(node.Task), node.Address ?? "", node.Inventory.Model, node.ImageName ?? ""]);

    private static string Doing(NodeTask? task) => task switch
    {
        null => "",
        { Total: > 0 } => $"{task.Kind}: {task.Phase} {100 * task.Done / task.Total} %",
        _ => $"{task.Kind}: {(task.Phase.Length > 0 ? task.Phase : task.State)}",
    };

    private static string Node(ParseResult parsed) => Uri.EscapeDataString(parsed.GetRequiredValue(s_node));
}
