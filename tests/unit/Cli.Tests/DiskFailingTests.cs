using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>A disk that fails is a state like others: the process lives, tells it, and goes on when the disk works again.</summary>
public sealed class DiskFailingTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("test-disk-").FullName;

    [Fact]
    public async Task Writes_that_fail_end_nothing_are_told_and_what_was_due_is_done_when_they_work_again()
    {
        string token = Path.Combine(_folder, "token");
        // The kernel refuses each write of the process to a file, and sends a signal, which is ignored.
        await using RunningAppliance appliance = await RunningAppliance.StartAsync(Path.Combine(_folder, "data"),
            ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""], "--initial-token", token);
        using HttpClient api = appliance.CreateClient((await File.ReadAllTextAsync(token, s_end)).Trim());
        using HttpResponseMessage set = await api.PutAsJsonAsync("schedules/often",
            new { name = "often", cron = "* * * * *", missed = "skip", job = new { kind = "reboot", select = "tag=nobody" } }, s_end);
        Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync(s_end));
        int before = (await GetAsync(api, "jobs")).AsArray().Count;
        await LimitAsync(appliance.Pid, "0:unlimited");

        using HttpResponseMessage refused = await api.PostAsJsonAsync("tokens", new { name = "another" }, s_end);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.StartsWith("The appliance's disk does not work (",
            (await refused.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("failing", (await GetAsync(api, "status"))["disk"]!.ToString());
        // The schedule becomes due, and its run cannot be written down.
        await Task.Delay(TimeSpan.FromSeconds(62 - TimeProvider.System.GetUtcNow().Second), TimeProvider.System, s_end);
        Assert.True(appliance.Lives);
        Assert.Equal(before, (await GetAsync(api, "jobs")).AsArray().Count);

        await LimitAsync(appliance.Pid, "unlimited:unlimited");
        await Poll.UntilAsync(() => GetAsync(api, "jobs"), jobs => jobs.AsArray().Count > before, s_end);
        await Poll.UntilAsync(() => GetAsync(api, "status"), status => status["disk"]!.ToString() == "good", s_end);
        JsonNode audit = await Poll.UntilAsync(() => GetAsync(api, "audit"), log => log.ToJsonString()
            .Contains("The disk works again", StringComparison.Ordinal), s_end);
        Assert.Single(audit.AsArray(), e => e!["what"]!.ToString() == "The disk works again");
        Assert.Single(appliance.Lines, line => line.Contains("disk does not work", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_program_that_holds_the_database_for_longer_than_is_waited_ends_nothing()
    {
        string token = Path.Combine(_folder, "token"), data = Path.Combine(_folder, "data");
        await using RunningAppliance appliance = await RunningAppliance.StartAsync(data, [], "--initial-token", token);
        using HttpClient api = appliance.CreateClient((await File.ReadAllTextAsync(token, s_end)).Trim());
        // As a person does who looks at the database with a tool of his own, and leaves it open.
        using var holder = Process.Start(new ProcessStartInfo("python3",
        [
            "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE'); " +
                "print('held', flush=True); sys.stdin.read()",
            Path.Combine(data, "appliance.db"),
        ])
        { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(s_end));

        using HttpResponseMessage refused = await api.PostAsJsonAsync("tokens", new { name = "another" }, s_end);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("failing", (await GetAsync(api, "status"))["disk"]!.ToString());
        Assert.True(appliance.Lives);

        holder.StandardInput.Close();
        await holder.WaitForExitAsync(s_end);
        await Poll.UntilAsync(() => GetAsync(api, "status"), status => status["disk"]!.ToString() == "good", s_end);
        (await api.PostAsJsonAsync("tokens", new { name = "another" }, s_end)).EnsureSuccessStatusCode();
        Assert.True(appliance.Lives);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task LimitAsync(int process, string bytes)
    {
        using var tool = Process.Start("prlimit", ["--pid", process.ToString(CultureInfo.InvariantCulture), $"--fsize={bytes}"]);
        await tool.WaitForExitAsync(s_end);
        Assert.Equal(0, tool.ExitCode);
    }

    private static async Task<JsonNode> GetAsync(HttpClient api, string path) => (await api.GetFromJsonAsync<JsonNode>(path, s_end))!;
}
