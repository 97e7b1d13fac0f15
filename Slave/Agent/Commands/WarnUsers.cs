using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Commands;

/// <summary>Tells whoever is logged in that the system goes, and waits.</summary>
internal static class WarnUsers
{
    /// <summary>Warns by wall(1) and waits; returns at once where nobody is logged in.</summary>
    /// <param name="what">What happens: "is restarted".</param>
    public static async Task DoAsync(UserWarning? warning, string what, NodeSystem system, WorkContext context, TimeProvider clock)
    {
        if (warning is not { GraceSeconds: > 0 })
        {
            return;
        }
        string[] users = await LoggedIn.FindAsync(system, context.Cancellation).ConfigureAwait(false);
        if (users.Length == 0)
        {
            context.Line("nobody is logged in who would have to be warned");
            return;
        }
        context.Phase(TaskPhase.WarningUsers);
        context.Line($"warning {string.Join(", ", users)}: {warning.GraceSeconds} s");
        string message = $"This machine {what} in {Words(warning.GraceSeconds)}. {warning.Message}".TrimEnd();
        if (system.Find("wall") is { } wall)
        {
            await context.Runner.RunAsync(Command.ByRoot(wall, message), context.Cancellation).ConfigureAwait(false);
        }
        else
        {
            context.Line("this node has no program 'wall': its users are given the time, and are not told");
        }
        await Task.Delay(TimeSpan.FromSeconds(warning.GraceSeconds), clock, context.Cancellation).ConfigureAwait(false);
    }

    private static string Words(int seconds) => seconds % 60 == 0 ? $"{seconds / 60} min" : $"{seconds} s";
}
