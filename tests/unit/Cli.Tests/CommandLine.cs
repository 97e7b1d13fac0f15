using System.Diagnostics;
using Bootstrap.Cli.Api;
using Bootstrap.Server.Features.Access;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Cli.Tests;

/// <summary>The program <c>bootstrap</c> as a user has it, signed in to an appliance of its own.</summary>
internal sealed class CommandLine : IAsyncDisposable
{
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "bootstrap");

    private CommandLine(TestAppliance appliance, string folder)
    {
        Appliance = appliance;
        Folder = folder;
    }

    public TestAppliance Appliance { get; }

    /// <summary>For the test's files.</summary>
    public string Folder { get; }

    /// <summary>What lives as long as this.</summary>
    public List<IAsyncDisposable> Kept { get; } = [];

    private string ConnectionFile => Path.Combine(Folder, "connection.json");

    public static async Task<CommandLine> StartAsync() => For(await TestAppliance.StartAsync());

    /// <summary>Signs in to an appliance, and ends it afterwards.</summary>
    public static CommandLine For(TestAppliance appliance)
    {
        var line = new CommandLine(appliance, Directory.CreateTempSubdirectory("test-cli-").FullName);
        // What `bootstrap login` keeps; it itself is tested by AccessTests.
        string session = appliance.Services.GetRequiredService<AccessTokens>().CreateSession("admin");
        new Connection(appliance.Url, session, appliance.Info.Authority.ExportCertificatePem()).Save(line.ConnectionFile);
        return line;
    }

    /// <summary>Runs a command that gets no answer to what it asks.</summary>
    public Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) => RunAsync([], "", arguments);

    /// <summary>Runs a command.</summary>
    /// <param name="wrapper">What starts the program, such as a script that gives it a namespace; empty: nothing.</param>
    /// <param name="answer">What the user types.</param>
    public Task<(int Code, string Output, string Errors)> RunAsync(string[] wrapper, string answer, params string[] arguments) =>
        RunToolAsync([.. wrapper, "env", $"BOOTSTRAP_CONNECTION={ConnectionFile}", Program, .. arguments], answer);

    /// <summary>Runs a script of bash in which the program is signed in.</summary>
    public Task<(int Code, string Output, string Errors)> RunScriptAsync(string script) =>
        RunToolAsync(["env", $"BOOTSTRAP_CONNECTION={ConnectionFile}", "bash", "-c", script]);

    /// <summary>Runs any program to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunToolAsync(string[] command, string input = "")
    {
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, errors.Trim());
    }

    /// <summary>Runs any program, which must succeed, and returns what it printed.</summary>
    public static async Task<string> ToolAsync(params string[] command)
    {
        (int code, string output, string errors) = await RunToolAsync(command);
        return code == 0 ? output : throw new InvalidOperationException($"`{string.Join(' ', command)}` failed: {errors}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable kept in Kept)
        {
            await kept.DisposeAsync();
        }
        await Appliance.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
