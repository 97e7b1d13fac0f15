using System.CommandLine;
using System.Net;
using System.Text.RegularExpressions;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>
/// <c>bootstrap nodes ansible</c>: the nodes as Ansible asks an inventory script for them, with <c>--list</c> or <c>--host NAME</c>
/// (Ansible developer guide, "Developing dynamic inventory"). Nodes choose their own words: all text is marked as unsafe, so that Ansible
/// takes none of it for a
/// template to run.
/// </summary>
internal static partial class AnsibleCommand
{
    public static Command Create()
    {
        var list = new Option<bool>("--list") { Description = "All hosts with what is known of them; the same as nothing." };
        var host = new Option<string?>("--host") { Description = "What is known of one host.", HelpName = "NAME" };
        return new Command("ansible",
            "Ansible's dynamic inventory. The inventory script has two lines: #!/bin/sh and exec bootstrap nodes ansible \"$@\"")
        {
            NodeCommands.Select, list, host,
        }.Does(async (client, parsed, cancellation) =>
        {
            IReadOnlyList<Node> nodes = await NodeCommands.GetAsync(client, parsed, cancellation);
            Output.Json(parsed.GetValue(host) is { } name
                ? nodes.FirstOrDefault(n => n.Name == name) is { } one ? Variables(one) : throw new CliException($"there is no node {name}")
                : Inventory(nodes));
            return 0;
        });
    }

    /// <summary>Groups for each tag, architecture, model, image and state; variables of all hosts, so that nobody asks for each.</summary>
    private static Dictionary<string, object> Inventory(IReadOnlyList<Node> nodes)
    {
        IEnumerable<IGrouping<string, string>> groups = nodes.SelectMany(node => GroupsOf(node).Distinct()
            .Select(group => (group, node.Name)))
            .GroupBy(pair => pair.group, pair => pair.Name).OrderBy(group => group.Key, StringComparer.Ordinal);
        var inventory = new Dictionary<string, object>
        {
            ["_meta"] = new { hostvars = nodes.ToDictionary(node => node.Name, Variables) },
            ["all"] = new { hosts = nodes.Select(node => node.Name) },
        };
        foreach (IGrouping<string, string> group in groups)
        {
            inventory[group.Key] = new { hosts = group };
        }
        return inventory;
    }

    private static IEnumerable<string> GroupsOf(Node node)
    {
        IEnumerable<(string Kind, string? Value)> properties =
        [
            .. node.Tags.Select(tag => ("tag", (string?)tag)), ("arch", node.Inventory.Architecture), ("model", node.Inventory.Model),
            ("image", node.ImageName),
            ("disk", node.Lifecycle), ("link", node.Link),
        ];
        // What Ansible takes as a group's name.
        return properties.Where(p => !string.IsNullOrEmpty(p.Value))
            .Select(p => $"{p.Kind}_{NoNameCharacters().Replace(p.Value!.ToLowerInvariant(), "_").Trim('_')}");
    }

    private static Dictionary<string, object> Variables(Node node)
    {
        var variables = new Dictionary<string, object>
        {
            ["bootstrap_id"] = Unsafe(node.Id),
            ["bootstrap_arch"] = Unsafe(node.Inventory.Architecture),
            ["bootstrap_model"] = Unsafe(node.Inventory.Model),
            ["bootstrap_serial"] = Unsafe(node.Inventory.Serial),
            ["bootstrap_image"] = Unsafe(node.ImageName ?? ""),
            ["bootstrap_location"] = Unsafe(node.Location),
            ["bootstrap_disk"] = Unsafe(node.Lifecycle),
            ["bootstrap_link"] = Unsafe(node.Link),
            ["bootstrap_tags"] = node.Tags.Select(Unsafe),
        };
        // It stands on command lines of ssh: nothing but an address will do.
        if (IPAddress.TryParse(node.Address, out IPAddress? address))
        {
            variables["ansible_host"] = Unsafe(address.ToString());
        }
        return variables;
    }

    /// <summary>A string that Ansible does not read as a template, as its own JSON has it (ansible.parsing.ajson).</summary>
    private static Dictionary<string, string> Unsafe(string text) => new() { ["__ansible_unsafe"] = text };

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NoNameCharacters();
}
