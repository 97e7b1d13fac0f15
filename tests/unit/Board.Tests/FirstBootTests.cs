using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>What a profile leaves to the installed system, with real programs.</summary>
public sealed class FirstBootTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("first-boot-").FullName;
    private readonly NodeIdentity _identity = TestIdentity.Create("mac-525400000001");
    private readonly Outbox _outbox = new();

    private string Calls => Path.Combine(_folder, "calls");

    public void Dispose()
    {
        _identity.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Locale_packages_and_script_come_one_after_the_other_and_once()
    {
        Program("bin/locale-gen", $"echo locale >>{Calls}");
        Program("bin/apt-get", $"echo \"apt $*\" >>{Calls}; echo Setting up git");
        Program("root/etc/bootstrap/first-boot", $"echo script >>{Calls}; echo hello from the script");
        var id = Guid.NewGuid();
        TaskRunner runner = Runner();
        Assert.True((await DoAsync(runner, id, new FirstBootOrder(true, ["git"], 60, false))).Succeeded);
        string[] calls = await File.ReadAllLinesAsync(Calls, s_end);
        Assert.Equal(4, calls.Length);
        Assert.Equal(("locale", "script"), (calls[0], calls[3]));
        Assert.EndsWith(" update", calls[1], StringComparison.Ordinal);
        Assert.EndsWith(" install git", calls[2], StringComparison.Ordinal);
        string[] lines = Lines();
        Assert.Contains("Setting up git", lines);
        Assert.Contains("hello from the script", lines);
        // The same order again is answered from memory.
        Assert.True(runner.AnswerFromMemory(id));
        Assert.Equal(4, (await File.ReadAllLinesAsync(Calls, s_end)).Length);
    }

    [Fact]
    public async Task A_package_that_cannot_be_had_keeps_no_script_from_running_and_every_failure_is_told()
    {
        Program("bin/apt-get", "case \"$*\" in *install*) echo 'E: Unable to locate package' >&2; exit 100;; esac");
        Program("root/etc/bootstrap/first-boot", $"echo script >>{Calls}; exit 3");
        TaskEnded ended = await DoAsync(Runner(), Guid.NewGuid(), new FirstBootOrder(false, ["no-such-package"], 60, false));
        Assert.False(ended.Succeeded);
        Assert.Equal("apt-get (install) ended with exit code 100; the profile's first-boot script ended with exit code 3", ended.Cause);
        Assert.Equal(["script"], await File.ReadAllLinesAsync(Calls, s_end));
        Assert.Contains("stderr: E: Unable to locate package", Lines());
    }

    [Fact]
    public async Task Where_nothing_is_left_to_do_it_has_succeeded() =>
        Assert.True((await DoAsync(Runner(), Guid.NewGuid(), new FirstBootOrder(true, [], 60, false))).Succeeded);

    private TaskRunner Runner() => new(
        new TaskJournal(Path.Combine(_folder, "tasks")), "boot-1", new NetInstStaging(_folder, _folder, () => _identity), new SystemPower(),
        _outbox, _ => { }, TimeProvider.System, new NodeSystem(Path.Combine(_folder, "root"), Path.Combine(_folder, "bin")));

    private async Task<TaskEnded> DoAsync(TaskRunner runner, Guid id, FirstBootOrder order)
    {
        Assert.Null(await runner.RunAsync(
            new StartTask(id, order), new ApplianceEndpoint(System.Net.IPAddress.Loopback, 1), new Uri("http://127.0.0.1:1"), s_end));
        return new TaskJournal(Path.Combine(_folder, "tasks")).Find(id)!.Outcome!;
    }

    /// <summary>All that the outbox has for the log.</summary>
    private string[] Lines()
    {
        List<string> lines = [];
        while (_outbox.Next() is { } message and not TaskEnded)
        {
            lines.AddRange((message as LogLines)?.Lines ?? []);
            _outbox.Sent();
        }
        return [.. lines];
    }

    private void Program(string path, string shell)
    {
        string file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, $"#!/bin/sh\n{shell}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
