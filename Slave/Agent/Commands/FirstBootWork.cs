using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Commands;

/// <summary>What a profile leaves to the installed system: its locale, its packages, and the profile's script.</summary>
internal static class FirstBootWork
{
    /// <summary>Does each of them, whatever became of the one before: a node without one package still gets its script.</summary>
    public static async Task<TaskEnded> DoAsync(FirstBootOrder order, NodeSystem system, TimeProvider clock, WorkContext context)
    {
        string script = Path.Combine(system.Root, NodeFiles.Directory.TrimStart('/'), NodeFiles.FirstBootScript);
        List<TaskEnded> ends = [];
        if (order.GeneratesLocale && system.Find("locale-gen") is { } generator)
        {
            context.Line("first boot: generating the locale");
            ends.Add(await RunAsync("generating the locale", generator).ConfigureAwait(false));
        }
        if (order.Packages.Count > 0)
        {
            context.Line($"first boot: installing {string.Join(' ', order.Packages)}");
            ends.Add(await new UpdateWork(system, clock).InstallAsync(order.Packages, context).ConfigureAwait(false));
        }
        if (File.Exists(script))
        {
            context.Line("first boot: running the profile's script");
            ends.Add(await RunAsync("the profile's first-boot script", script).ConfigureAwait(false));
        }
        TaskEnded[] failures = [.. ends.Where(end => !end.Succeeded)];
        return failures.Length == 0 ? context.End("")
            : failures[^1] with { Cause = string.Join("; ", failures.Select(failure => failure.Cause)) };

        async Task<TaskEnded> RunAsync(string what, string program)
        {
            context.Phase("running");
            return context.End(what, await context.Runner.RunAsync(Command.ByRoot(program), context.Cancellation).ConfigureAwait(false));
        }
    }
}
