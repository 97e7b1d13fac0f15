using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>What all commands share that speak to an appliance.</summary>
internal static class ClientCommand
{
    /// <summary>Prints JSON in place of tables; every such command has it.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "Print JSON.", Recursive = true };

    /// <summary>Gives a command its action: connected, and with every refusal as one sentence and exit code 1.</summary>
    /// <param name="command">The command.</param>
    /// <param name="action">Gives the exit code.</param>
    public static Command Does(this Command command, Func<ApplianceClient, ParseResult, CancellationToken, Task<int>> action)
    {
        command.SetAction((parsed, cancellation) => GuardAsync(async () =>
        {
            using var client = new ApplianceClient(Connection.Load(Connection.DefaultPath));
            return await action(client, parsed, cancellation);
        }));
        return command;
    }

    /// <summary>Runs an action; says what went wrong in one sentence.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (CliException e)
        {
            await Console.Error.WriteLineAsync($"bootstrap: {e.Message}");
            return e.ExitCode;
        }
    }

    /// <summary>Shows something as JSON where that was asked for, else as a table.</summary>
    public static int Show<T>(ParseResult parsed, IReadOnlyList<T> items, string[] columns, Func<T, string[]> row)
    {
        if (parsed.GetValue(Json))
        {
            Output.Json(items);
        }
        else
        {
            Output.Table(columns, items.Select(row));
        }
        return 0;
    }
}
