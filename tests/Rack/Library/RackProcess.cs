using System.Diagnostics;
using System.Globalization;

namespace Bootstrap.Rack;

/// <summary>A program that runs inside a rack, and ends with it at the latest.</summary>
public sealed class RackProcess : IAsyncDisposable
{
    private readonly Process _entry;

    private RackProcess(Process entry, int processId)
    {
        _entry = entry;
        ProcessId = processId;
        Exited = ReadToEndAsync();
    }

    /// <summary>What it prints on standard output.</summary>
    public LineLog Output { get; } = new();

    /// <summary>What it prints on standard error.</summary>
    public LineLog Errors { get; } = new();

    /// <summary>The program's own process id, as it is outside the rack: signals may be sent to it.</summary>
    public int ProcessId { get; }

    /// <summary>Its exit code, once it has ended and all it printed was read.</summary>
    public Task<int> Exited { get; }

    /// <summary>Starts a program in the namespaces of another process.</summary>
    internal static async Task<RackProcess> StartAsync(IReadOnlyList<string> enter, IReadOnlyList<string> command,
        IReadOnlyDictionary<string, string> environment)
    {
        // The shell tells the id that it has outside (the rack keeps the outer /proc), then becomes the program.
        string[] all = [.. enter, "sh", "-c", "read -r id rest </proc/self/stat; echo \"$id\"; exec \"$@\"", "sh", .. command];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        Process entry = Process.Start(start)!;
        return int.TryParse(await entry.StandardOutput.ReadLineAsync(), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            ? new RackProcess(entry, id)
            : throw new RackException($"{command[0]} could not be started in the rack: " +
                $"{(await entry.StandardError.ReadToEndAsync()).Trim()}");
    }

    /// <summary>SIGTERM; returns when it has ended.</summary>
    public Task<int> TerminateAsync() => SignalAsync(ProcessId, Native.SigTerm);

    /// <summary>SIGKILL; returns when it has ended.</summary>
    public Task<int> KillAsync() => SignalAsync(ProcessId, Native.SigKill);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _entry.Dispose();
    }

    internal async Task<int> SignalAsync(int processId, int signal)
    {
        if (!Exited.IsCompleted)
        {
            _ = Native.Kill(processId, signal);
        }
        return await Exited;
    }

    private async Task<int> ReadToEndAsync()
    {
        await Task.WhenAll(ReadAsync(_entry.StandardOutput, Output), ReadAsync(_entry.StandardError, Errors));
        await _entry.WaitForExitAsync();
        return _entry.ExitCode;
    }

    private static async Task ReadAsync(StreamReader reader, LineLog log)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            log.Add(line);
        }
        log.End();
    }
}
