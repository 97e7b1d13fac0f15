using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>A disk that is full is a state like others: it is told, nothing that is due is lost, and it goes on when there is
/// room.</summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _disk = Directory.CreateTempSubdirectory("test-disk-").FullName;
    private readonly SettableClock _clock = new()
    {
        Now = new DateTimeOffset(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero).AddDays(1)
        .AddHours(12.5)
    };
    private TestAppliance _appliance = null!;
    private HttpClient _api = null!;

    private string Ballast => Path.Combine(_disk, "ballast");

    public async ValueTask InitializeAsync()
    {
        await ToolAsync("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", _disk);
        _appliance = await TestAppliance.StartAsync(clock: _clock,
            change: options => options with { DataFolder = Path.Combine(_disk, "data") });
        _api = _appliance.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _appliance.DisposeAsync();
        await ToolAsync("umount", _disk);
        Directory.Delete(_disk);
    }

    [Fact]
    public async Task What_is_due_on_a_full_disk_is_done_when_there_is_room_and_meanwhile_it_is_told()
    {
        await CreatedAsync(_api.PutAsJsonAsync("schedules/hourly",
            new { name = "hourly", cron = "0 * * * *", missed = "skip", job = new { kind = "reboot", select = "tag=nobody" } }, s_end));
        Fill();
        foreach (string path in new[] { "files?name=large", "images?name=large&architecture=arm64" })
        {
            using HttpResponseMessage refused = await UploadAsync(path, TinyImage.Create(8 << 20));
            await ToldAsync(refused);
        }
        // What the database's journal has room for already is still written.
        HttpResponseMessage told = await Poll.UntilAsync(() => _api.PostAsJsonAsync("tokens", new { name = new string('x', 50) }, s_end),
            answer => !answer.IsSuccessStatusCode, s_end);
        await ToldAsync(told);
        Assert.True(await IsFullAsync());

        // It becomes due, and stays so for longer than what is called missed.
        _clock.Now += TimeSpan.FromMinutes(30);
        await TicksAsync();
        _clock.Now += TimeSpan.FromMinutes(5);
        await TicksAsync();
        Assert.Empty((await GetAsync("jobs")).AsArray());
        Assert.True(await IsFullAsync());

        File.Delete(Ballast);
        await Poll.UntilAsync(() => GetAsync("jobs"), jobs => jobs.AsArray().Count == 1, s_end);
        Assert.Equal("hourly", (await GetAsync("jobs"))[0]!["schedule"]!.ToString());
        Assert.False(await IsFullAsync());
        using HttpResponseMessage fits = await UploadAsync("files?name=small", [1, 2, 3]);
        Assert.Equal(HttpStatusCode.Created, fits.StatusCode);
        Assert.Contains((await GetAsync("audit")).AsArray(),
            e => e!["what"]!.ToString() == "The disk works again"
            && e["refusal"]!.ToString().Contains("is full", StringComparison.Ordinal));
    }

    /// <summary>Writes until nothing more fits, not into the database's own pages either.</summary>
    private void Fill()
    {
        using var ballast = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (int size in new[] { 1 << 20, 4096 })
        {
            byte[] block = new byte[size];
            try
            {
                while (true)
                {
                    ballast.Write(block);
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }
    }

    /// <summary>The appliance's loops have looked at the time.</summary>
    private static Task TicksAsync() => Task.Delay(TimeSpan.FromSeconds(2.5), TimeProvider.System, s_end);

    private async Task<JsonNode> GetAsync(string path) => (await _api.GetFromJsonAsync<JsonNode>(path, s_end))!;

    private async Task<bool> IsFullAsync() => (await GetAsync("status"))["disk"]!.ToString() == "full";

    private static async Task CreatedAsync(Task<HttpResponseMessage> asked)
    {
        using HttpResponseMessage answer = await asked;
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(s_end));
    }

    private static async Task ToldAsync(HttpResponseMessage refused)
    {
        Assert.Equal(HttpStatusCode.InsufficientStorage, refused.StatusCode);
        JsonNode? problem = await refused.Content.ReadFromJsonAsync<JsonNode>(s_end);
        Assert.StartsWith("The appliance's disk is full, and nothing was changed: free some space", problem!["detail"]!.ToString(),
            StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> UploadAsync(string path, byte[] content)
    {
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await _api.PostAsync(path, body, s_end);
    }

    private static async Task ToolAsync(params string[] command)
    {
        using Process process = Process.Start(command[0], command[1..]);
        await process.WaitForExitAsync(s_end);
        Assert.Equal(0, process.ExitCode);
    }
}
