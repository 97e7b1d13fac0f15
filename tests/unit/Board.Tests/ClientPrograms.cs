using System.Diagnostics;

namespace Bootstrap.Board.Tests;

/// <summary>The clients of discovery for other languages, built once for all tests; those that a machine runs directly with its
/// sanitizers.</summary>
public sealed class ClientPrograms : IAsyncLifetime
{
    private static readonly string s_out = Path.Combine(AppContext.BaseDirectory, "clients");

    private static readonly Dictionary<string, string[]> s_consoles = new()
    {
        ["c"] = [Path.Combine(s_out, "c-console")],
        ["cpp"] = [Path.Combine(s_out, "cpp-console")],
        ["python"] = ["/usr/bin/python3", Path.Combine(s_out, "python", "console.py")],
        ["java"] = ["java", "-cp", $"/usr/share/java/gson.jar:{s_out}/java/bootstrap-discovery.jar:{s_out}/java", "Console"],
    };

    public async ValueTask InitializeAsync()
    {
        const string sanitizers = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all";
        string sources = Path.Combine(Root(), "Slave", "Clients");
        using Process make = Process.Start(new ProcessStartInfo("make",
            ["-s", "-C", sources, $"OUT={s_out}", $"CFLAGS={sanitizers}", $"CXXFLAGS={sanitizers}", $"LDFLAGS={sanitizers}"])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = make.StandardOutput.ReadToEndAsync();
        string errors = await make.StandardError.ReadToEndAsync();
        await make.WaitForExitAsync();
        Assert.True(make.ExitCode == 0, $"building the clients: {errors}{await output}");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts a language's console.</summary>
    internal static ClientConsole Start(string language, string socket) => new([.. s_consoles[language], socket]);

    internal static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Bootstrap.sln")))
        {
            folder = Path.GetDirectoryName(folder) ??
                throw new InvalidOperationException($"{AppContext.BaseDirectory} is not in the repository");
        }
        return folder;
    }
}

/// <summary>A program of another language that does with discovery what it is told.</summary>
internal sealed class ClientConsole : IDisposable
{
    private readonly Process _process;

    public ClientConsole(string[] command) => _process = Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        Environment = { ["LC_ALL"] = "C.UTF-8" },
    })!;

    /// <summary>Gives a command and returns the lines that it printed.</summary>
    public async Task<string[]> DoAsync(string command)
    {
        CancellationToken end = TestContext.Current.CancellationToken;
        await _process.StandardInput.WriteLineAsync(command.AsMemory(), end);
        await _process.StandardInput.FlushAsync(end);
        var lines = new List<string>();
        while (await _process.StandardOutput.ReadLineAsync(end) is { } line)
        {
            if (line == ".")
            {
                return [.. lines];
            }
            lines.Add(line);
        }
        throw new InvalidOperationException($"the program ended at '{command}'");
    }

    /// <summary>Ends it by SIGKILL: it has no time to withdraw anything.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Lets it end by itself.</summary>
    /// <returns>Its exit code: not 0, too, if memory was misused or is not freed.</returns>
    public async Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        _process.Dispose();
    }
}
