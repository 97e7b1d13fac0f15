using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>What all commands share that speak to an appliance.</summary>
internal static class ClientCommand
{
    private static readonly TimeSpan s_watchPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Shows a list again whenever it has changed, until it is interrupted.</summary>
    private static readonly Option<bool> s_watch = new("--watch") { Description = "Go on, and show it again when it has changed." };

    private static readonly Option<bool> s_wide = new("--wide") { Description = "Show all columns, however wide they get." };

    private static readonly Option<string?> s_columns = new("--columns")
    {
        Description = "Show these columns, in this order, such as name,address.",
        HelpName = "names",
    };

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

    /// <summary>Makes a command show a list of the API, once or for as long as it is watched.</summary>
    /// <param name="path">Of the list.</param>
    /// <param name="row">One cell for each column.</param>
    public static Command Lists<T>(
        this Command command, Func<ParseResult, string> path, IReadOnlyList<Column> columns, Func<T, string[]> row)
    {
        command.Add(s_watch);
        return command.WithTable().Does(async (client, parsed, cancellation) =>
        {
            IReadOnlyList<T> shown = await client.GetAsync<IReadOnlyList<T>>(path(parsed), cancellation);
            Show(parsed, shown, columns, row);
            while (parsed.GetValue(s_watch))
            {
                await Task.Delay(s_watchPeriod, TimeProvider.System, cancellation);
                IReadOnlyList<T> now = await client.GetAsync<IReadOnlyList<T>>(path(parsed), cancellation);
                if (!now.SequenceEqual(shown, Output.AsJson<T>()))
                {
                    Output.Clear();
                    Show(parsed, shown = now, columns, row);
                }
            }
            return 0;
        });
    }

    /// <summary>Gives a command the options that say what is shown of its table.</summary>
    public static Command WithTable(this Command command)
    {
        command.Add(s_wide);
        command.Add(s_columns);
        return command;
    }

    /// <summary>Prints a table as the command line asks for it.</summary>
    public static void Print(ParseResult parsed, IReadOnlyList<Column> columns, IEnumerable<string[]> rows) =>
        Output.Table(columns, rows, new TableChoice(parsed.GetValue(s_wide),
            parsed.GetValue(s_columns)?.Split(',', StringSplitOptions.RemoveEmptyEntries)));

    /// <summary>Shows something as JSON where that was asked for, else as a table.</summary>
    public static int Show<T>(ParseResult parsed, IReadOnlyList<T> items, IReadOnlyList<Column> columns, Func<T, string[]> row)
    {
        if (parsed.GetValue(Json))
        {
            Output.Json(items);
        }
        else
        {
            Print(parsed, columns, items.Select(row));
        }
        return 0;
    }
}
