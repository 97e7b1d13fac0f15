using System.CommandLine;
using System.CommandLine.Completions;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;

namespace Bootstrap.Cli.Commands;

/// <summary>What a shell offers for a name that the user is about to type.</summary>
internal static class Suggestions
{
    /// <summary>A shell waits no longer: the user types on.</summary>
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A shell asks what it may offer: nobody else, such as help, is worth a question to the appliance.</summary>
    private static bool IsAsked => Environment.GetCommandLineArgs().Any(word => word.StartsWith("[suggest", StringComparison.Ordinal));

    /// <summary>Lets a shell offer the names of what the appliance has; help shows what they are names of.</summary>
    /// <param name="symbol">The argument or option.</param>
    /// <param name="path">Of a list of the API.</param>
    /// <param name="name">One thing's name.</param>
    public static TSymbol Suggests<TSymbol, T>(this TSymbol symbol, string path, Func<T, string> name)
        where TSymbol : Symbol
    {
        List<Func<CompletionContext, IEnumerable<CompletionItem>>> sources;
        switch (symbol)
        {
            case Argument argument:
                argument.HelpName ??= argument.Name;
                sources = argument.CompletionSources;
                break;
            case Option option:
                option.HelpName ??= option.Name.TrimStart('-');
                sources = option.CompletionSources;
                break;
            default:
                throw new ArgumentException("neither an argument nor an option", nameof(symbol));
        }
        sources.Add(context => !IsAsked ? [] : [.. Fetch(path, name)
            .Where(n => n == PlainText.Line(n) && n.StartsWith(context.WordToComplete, StringComparison.OrdinalIgnoreCase))
            .Select(n => new CompletionItem(n))]);
        return symbol;
    }

    private static IReadOnlyList<string> Fetch<T>(string path, Func<T, string> name)
    {
        using var stop = new CancellationTokenSource(s_answerTimeout);
        try
        {
            // System.CommandLine asks for completions synchronously; this process does nothing else.
            using var client = new ApplianceClient(Connection.Load(Connection.DefaultPath));
            return [.. client.GetAsync<IReadOnlyList<T>>(path, stop.Token).GetAwaiter().GetResult().Select(name)];
        }
        catch (Exception e) when (e is CliException or OperationCanceledException)
        {
            // Nobody has signed in, or the appliance does not answer: there is nothing to offer.
            return [];
        }
    }
}
