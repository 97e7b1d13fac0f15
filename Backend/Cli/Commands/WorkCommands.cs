using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>Work in the running systems of nodes: <c>bootstrap jobs run</c> and <c>bootstrap update</c>.</summary>
internal static class WorkCommands
{
    /// <summary>Of commands whose words are something else than nodes.</summary>
    public static readonly Option<string[]> Node = new("--node") { Description = "Name or id, 'all' for every node; may be given several times.", HelpName = "name" };

    private static readonly Option<string> s_user = new("--user") { Description = "User of the node who runs it (default root).", HelpName = "name" };

    private static readonly Option<string> s_folder = new("--folder") { Description = "Where it works (default /).", HelpName = "path" };

    private static readonly Option<int?> s_timeout = new("--timeout") { Description = "Seconds after which the node ends it.", HelpName = "seconds" };

    private static readonly Option<string[]> s_environment = new("--env") { Description = "NAME=VALUE; may be given several times. No secrets: jobs are stored and shown.", HelpName = "name=value" };

    private static readonly Option<string> s_shell = new("--shell") { Description = "In the place of a command: one line for the node's shell.", HelpName = "line" };

    private static readonly Option<string[]> s_packages = new("--package") { Description = "Only this package; may be given several times.", HelpName = "name" };

    /// <summary>A command, as a job of the appliance.</summary>
    public static Command CreateRun()
    {
        var words = new Argument<string[]>("command") { Description = "After --: the program and its arguments, which no shell touches.", Arity = ArgumentArity.ZeroOrMore };
        return new Command("run", "Run a command on nodes, by the appliance: also on those that come later, with its output kept. (`bootstrap run` needs no appliance, but SSH.)")
        {
            words, Node, NodeCommands.Select, s_shell, s_user, s_folder, s_timeout, s_environment, JobCommands.Yes, JobCommands.Wait,
        }.WithBeginning().WithPlan().Does((client, parsed, cancellation) =>
        {
            string[] command = parsed.GetValue(words) ?? [];
            return JobCommands.OrderAsync(client, "run", null, WithoutNulls(new()
            {
                ["command"] = command.Length > 0 ? command : null,
                ["shell"] = parsed.GetValue(s_shell),
                ["user"] = parsed.GetValue(s_user),
                ["folder"] = parsed.GetValue(s_folder),
                ["timeoutSeconds"] = parsed.GetValue(s_timeout),
                ["environment"] = parsed.GetValue(s_environment) is { Length: > 0 } variables ? variables.Select(Variable).ToDictionary(v => v.Name, v => v.Value) : null,
            }), parsed, cancellation);
        });
    }

    /// <summary>Packages.</summary>
    public static Command CreateUpdate() =>
        new Command("update", "Bring the packages of nodes up to date, by each node's own package manager.")
        {
            JobCommands.Nodes, NodeCommands.Select, s_packages, s_timeout, JobCommands.Yes, JobCommands.Wait,
        }.WithBeginning().WithPlan().Does((client, parsed, cancellation) => JobCommands.OrderAsync(client, "update", null, WithoutNulls(new()
        {
            ["packages"] = parsed.GetValue(s_packages) is { Length: > 0 } packages ? packages : null,
            ["timeoutSeconds"] = parsed.GetValue(s_timeout),
        }), parsed, cancellation));

    /// <summary>What was not given is the appliance's to decide.</summary>
    public static Dictionary<string, object> WithoutNulls(Dictionary<string, object?> parameters) =>
        parameters.Where(p => p.Value is not null).ToDictionary(p => p.Key, p => p.Value!);

    private static (string Name, string Value) Variable(string text) => text.Split('=', 2) is [var name, var value]
        ? (name, value)
        : throw new CliException($"--env takes NAME=VALUE, and not '{text}'") { ExitCode = 2 };
}
