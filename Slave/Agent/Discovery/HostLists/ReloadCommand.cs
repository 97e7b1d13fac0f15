using System.ComponentModel;
using System.Diagnostics;

namespace Bootstrap.Agent.Discovery.HostLists;

/// <summary>Tells the program that reads a list that it has changed. What the command prints is in the Slave's log.</summary>
internal static class ReloadCommand
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="command">A program and its arguments.</param>
    /// <param name="limit">It and what it started are ended after this time.</param>
    /// <param name="clock">Measures that.</param>
    /// <param name="cancellation">Ends it, too.</param>
    /// <returns>Null, or in one sentence why it failed.</returns>
    public static async Task<string?> RunAsync(
        IReadOnlyList<string> command, TimeSpan limit, TimeProvider clock, CancellationToken cancellation)
    {
        string shown = string.Join(' ', command);
        using var end = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellation);
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true })!;
        }
        catch (Win32Exception e)
        {
            return $"`{shown}` cannot be run: {e.Message}";
        }
        using (process)
        {
            process.StandardInput.Close();
            try
            {
                await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                return $"`{shown}` was ended after {limit.TotalSeconds:0} s";
            }
            return process.ExitCode == 0 ? null : $"`{shown}` failed with exit code {process.ExitCode}";
        }
    }
}
