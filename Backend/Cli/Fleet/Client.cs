using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Fleet;

/// <summary>How a program of OpenSSH's client ended.</summary>
/// <param name="LastOutput">Its last line of output; empty where there was none.</param>
/// <param name="LastErrors">Its last lines of errors, the oldest first.</param>
internal sealed record ClientExit(int Code, string LastOutput, IReadOnlyList<string> LastErrors);

/// <summary>Runs the programs of OpenSSH's client, without a terminal: none of them can stop to ask something.</summary>
internal static class Client
{
    private const int KeptErrorLines = 3;

    /// <summary>Runs a program to its end.</summary>
    /// <param name="command">Program and arguments.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="line">Gets every line of output (false) and errors (true) as it comes, by two threads.</param>
    /// <param name="environment">Added to this program's.</param>
    /// <param name="cancellation">Kills it, and whatever it started on this machine.</param>
    /// <exception cref="OperationCanceledException">It was killed.</exception>
    /// <exception cref="CliException">It is not installed.</exception>
    public static async Task<ClientExit> RunAsync(
        string[] command, string input, LineHandler line, IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        // A session of its own: Ctrl-C reaches this program alone, which then tells nodes that were interrupted from nodes that failed.
        var start = new ProcessStartInfo("setsid",
            ["--wait", .. command])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        using Process process = Start(start);
        string lastOutput = "";
        var lastErrors = new Queue<string>();
        Task reading = Task.WhenAll(
            LineReader.ReadAsync(process.StandardOutput.BaseStream, bytes =>
            {
                line(false, bytes);
                lastOutput = Text(bytes);
            }),
            LineReader.ReadAsync(process.StandardError.BaseStream, bytes =>
            {
                line(true, bytes);
                lastErrors.Enqueue(Text(bytes));
                if (lastErrors.Count > KeptErrorLines)
                {
                    lastErrors.Dequeue();
                }
            }));
        try
        {
            await WriteAsync(process, input, cancellation);
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
        finally
        {
            await reading;
        }
        return new ClientExit(process.ExitCode, lastOutput, [.. lastErrors]);
    }

    /// <summary>Says in one sentence which of these programs this machine lacks.</summary>
    /// <exception cref="CliException">One of them is not in $PATH.</exception>
    public static void Require(params string[] programs)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (programs.FirstOrDefault(program => !folders.Any(folder => File.Exists(Path.Combine(folder, program)))) is { } missing)
        {
            throw new CliException(
                $"the program {missing} is not on this machine: install OpenSSH's client (apt-get install openssh-client)");
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new CliException($"setsid cannot be started: {e.Message}; it comes with util-linux", e);
        }
    }

    private static async Task WriteAsync(Process process, string input, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellation);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it read everything; its exit code and its errors say why.
        }
    }

    private static string Text(ReadOnlySpan<byte> line) => Encoding.UTF8.GetString(line[..Math.Min(line.Length, 500)]).TrimEnd();
}

/// <summary>Takes a line, without its line feed.</summary>
internal delegate void LineHandler(bool isError, ReadOnlySpan<byte> line);
