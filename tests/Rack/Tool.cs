using System.Diagnostics;

namespace Bootstrap.Rack;

/// <summary>Runs the small programs that the rack is made with: ip, mcopy, fdtput.</summary>
internal static class Tool
{
    /// <summary>Runs a program to its end and returns what it printed.</summary>
    /// <exception cref="RackException">It is not installed, or failed.</exception>
    public static async Task<string> RunAsync(params string[] command)
    {
        (int code, string output, string errors) = await TryAsync(command);
        return code == 0 ? output : throw new RackException($"`{string.Join(' ', command)}` failed: {errors.Trim()}");
    }

    /// <summary>Runs a program that may fail.</summary>
    /// <exception cref="RackException">It is not installed.</exception>
    public static async Task<(int Code, string Output, string Errors)> TryAsync(params string[] command)
    {
        using Process process = Start(command);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, errors);
    }

    /// <summary>Starts a program with all three streams in our hands.</summary>
    public static Process Start(params string[] command)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(command[0], command[1..])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception reason)
        {
            throw new RackException($"cannot run {command[0]} ({reason.Message}): run `make deps-lab`");
        }
    }
}
