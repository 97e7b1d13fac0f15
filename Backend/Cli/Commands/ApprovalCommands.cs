using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap nodes unapproved | approve | reject</c>: boards whose keys nobody has approved.</summary>
internal static class ApprovalCommands
{
    /// <summary>Digits of a key's fingerprint that a board shows on its console, and that name it here.</summary>
    private const int ShownDigits = 16;

    private static readonly Column[] s_columns =
        ["KEY", "SAYS IT IS", new("ADDRESS", 2), new("ASKS SINCE", 4), new("MODEL", 3), new("WHY IT WAITS", 1)];

    public static Command CreateUnapproved() =>
        new Command("unapproved", "Boards that ask to be admitted, each with its key.").Lists<UnapprovedBoard>(_ => "unapproved",
            s_columns, Row);

    public static Command CreateApprove()
    {
        var keys = Keys();
        var all = new Option<bool>(
            "--all")
        { Description = "All boards that claim to be no known node; they are shown, and you are asked." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        return new Command("approve",
            "Make boards nodes. Where one would take the place of a known node, you are asked.") { keys, all, yes }
            .Does(async (client, parsed, cancellation) =>
        {
            IReadOnlyList<UnapprovedBoard> boards = await client.GetAsync<IReadOnlyList<UnapprovedBoard>>("unapproved", cancellation);
            string[] wanted = parsed.GetValue(keys) ?? [];
            if (parsed.GetValue(all) == wanted.Length > 0)
            {
                throw new CliException("name the keys of the boards, or say --all") { ExitCode = 2 };
            }
            UnapprovedBoard[] chosen = wanted.Length > 0 ? [.. wanted.Select(key => Find(boards, key))]
                : [.. boards.Where(b => b.Claims is null && b.Holder is null)];
            if (chosen.Length == 0)
            {
                throw new CliException("no new board asks to be admitted");
            }
            // What claims to be a node that is known takes its place: it is shown as it is now, whatever was listed before.
            if (!parsed.GetValue(yes) && (wanted.Length == 0 || chosen.Any(b => b.Claims is not null || b.Holder is not null)))
            {
                Output.Table(s_columns, chosen.Select(Row));
                Console.Write($"Approve {(chosen.Length == 1 ? "this board" : $"these {chosen.Length} boards")}? [y/N] ");
                if (Console.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
                {
                    throw new CliException("nothing was approved");
                }
            }
            IReadOnlyList<Node> nodes = await client.PostAsync<IReadOnlyList<Node>>("unapproved/approve",
                new { boards = chosen.Select(b => new { b.Key, b.Id, replaces = b.Claims?.Key }) }, cancellation);
            return ClientCommand.Show(parsed, nodes, ["NAME", "ID", "MODEL"], n => [n.Name, n.Id, n.Inventory.Model]);
        });
    }

    public static Command CreateReject()
    {
        var keys = Keys();
        keys.Arity = ArgumentArity.OneOrMore;
        return new Command("reject", "Refuse boards; they are not listed for a day.") { keys }.Does(async (client, parsed, cancellation) =>
        {
            IReadOnlyList<UnapprovedBoard> boards = await client.GetAsync<IReadOnlyList<UnapprovedBoard>>("unapproved", cancellation);
            foreach (UnapprovedBoard board in parsed.GetRequiredValue(keys).Select(key => Find(boards, key)).ToArray())
            {
                await client.SendAsync(HttpMethod.Delete, $"unapproved/{board.Key}", null, cancellation);
            }
            return 0;
        });
    }

    private static Argument<string[]> Keys() => new Argument<string[]>("keys")
    {
        Description = $"As 'nodes unapproved' and the boards' consoles show them: {ShownDigits} hex digits, or all 64.",
        Arity = ArgumentArity.ZeroOrMore,
    }.Suggests<Argument<string[]>, UnapprovedBoard>("unapproved", b => Short(b.Key));

    private static string[] Row(UnapprovedBoard b) =>
        [Short(b.Key), b.Claims?.Name ?? b.Id, b.Address, Output.Time(b.FirstSeen), b.Inventory.Model, b.Reason];

    private static string Short(string key) => key[..ShownDigits];

    /// <summary>The board with that key. Fewer digits than a board shows are too few to know it by.</summary>
    private static UnapprovedBoard Find(IReadOnlyList<UnapprovedBoard> boards, string key)
    {
        string digits = key.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        if (digits.Length < ShownDigits || !digits.All(char.IsAsciiHexDigit))
        {
            throw new CliException($"'{key}' is not a key: give at least {ShownDigits} hex digits, as 'bootstrap nodes unapproved' shows " +
                "them")
            { ExitCode = 2 };
        }
        return boards.Where(b => b.Key.StartsWith(digits, StringComparison.Ordinal)).ToArray() switch
        {
            [var board] => board,
            [] => throw new CliException($"no board with the key {key} asks to be admitted: see 'bootstrap nodes unapproved'"),
            _ => throw new CliException($"several boards have keys that begin with {key}: give all 64 digits"),
        };
    }
}
