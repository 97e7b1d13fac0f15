using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Backups;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Backups that the appliance makes by itself: when they are due, how many stay, who may what, and what people hear of
/// failures.</summary>
public sealed class BackupPlanTests : ApplianceTest
{
    private const string Passphrase = "correct horse battery staple";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    /// <summary>Noon, a day ahead.</summary>
    private static readonly DateTimeOffset s_start = new DateTimeOffset(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero).AddDays(1)
        .AddHours(12);

    private readonly SettableClock _clock = new() { Now = s_start };

    private protected override TimeProvider? Clock => _clock;

    private protected override HttpClient CreateApi() => Appliance.SignIn();

    private string Folder => Path.Combine(Appliance.Options.DataFolder, "backups");

    [Fact]
    public async Task Backups_are_made_when_they_are_due_each_is_read_again_and_the_newest_stay()
    {
        JsonNode view = await PutAsync(new { cron = "0 3 * * *", keep = 2, passphrase = Passphrase });
        Assert.Equal(s_start.AddHours(15).ToUnixTimeMilliseconds(), (long)view["next"]!);
        Assert.DoesNotContain(Passphrase, view.ToJsonString(), StringComparison.Ordinal);
        for (int day = 0; day < 3; day++)
        {
            _clock.Now = s_start.AddDays(day).AddHours(15);
            await UntilAsync(v => v["backups"]!.AsArray().Any(b => (long)b!["madeAt"]! == _clock.Now.ToUnixTimeMilliseconds())
                && !(bool)v["running"]!);
        }
        Assert.Equal([s_start.AddHours(63), s_start.AddHours(39)], new BackupFolder(Folder).List()
            .Select(b => DateTimeOffset.FromUnixTimeMilliseconds(b.MadeAt)));
        foreach (string file in Directory.EnumerateFiles(Folder))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            await using FileStream backup = File.OpenRead(file);
            Assert.False((await BackupReader.VerifyAsync(backup, Passphrase, s_end)).Images);
        }
        // None of them is in the next one.
        Assert.False(BackupContents.MayBe($"backups/{Path.GetFileName(Directory.EnumerateFiles(Folder).First())}"));
        Assert.Equal("", (await GetAsync())["last"]!["error"]!.ToString());
    }

    [Fact]
    public async Task Backups_that_were_missed_while_the_appliance_was_off_are_made_up_for_by_one()
    {
        await PutAsync(new { cron = "0 3 * * *", passphrase = Passphrase });
        await Appliance.RestartAsync(() => _clock.Now = s_start.AddDays(5));
        await UntilAsync(v => v["backups"]!.AsArray().Count == 1 && !(bool)v["running"]!);
        Assert.Equal(s_start.AddDays(5).AddHours(15).ToUnixTimeMilliseconds(), (long)(await GetAsync())["next"]!);
    }

    [Fact]
    public async Task A_backup_that_fails_leaves_the_older_ones_and_is_told_once_until_one_is_made_again()
    {
        await PutAsync(new { keep = 1, passphrase = Passphrase });
        // Nobody listens there: what is to be told waits.
        await Api.PutAsJsonAsync("notifications",
            new { webhooks = new[] { new { name = "hook", url = "http://127.0.0.1:9/", events = new[] { "backup-failed" } } } }, s_end);
        await MakeAsync();
        string older = Assert.Single(Directory.EnumerateFiles(Folder));
        string key = Path.Combine(Appliance.Options.DataFolder, "ca", "ca.pem"), aside = key + ".aside";
        File.Move(key, aside);
        for (int i = 0; i < 2; i++)
        {
            _clock.Now = _clock.Now.AddMinutes(1);
            await AskAsync();
            await UntilAsync(v => v["last"]!["error"]!.ToString().Length > 0
                && (long)v["last"]!["at"]! == _clock.Now.ToUnixTimeMilliseconds());
        }
        Assert.Equal([older], Directory.EnumerateFiles(Folder));
        JsonNode waiting = (await Poll.UntilAsync(() => Api.GetFromJsonAsync<JsonNode>("notifications", s_end),
            n => n!["waiting"]!.AsArray().Count > 0, s_end))!;
        Assert.Equal(1, (int)waiting["waiting"]![0]!["waiting"]!);
        File.Move(aside, key);
        _clock.Now = _clock.Now.AddMinutes(1);
        await MakeAsync();
        Assert.NotEqual(older, Assert.Single(Directory.EnumerateFiles(Folder)));
        Assert.Empty(Directory.EnumerateDirectories(Appliance.Options.DataFolder, "snapshot-*"));
    }

    [Fact]
    public async Task What_a_killed_appliance_left_of_a_backup_is_removed_at_the_next_start_and_backups_stay()
    {
        await PutAsync(new { passphrase = Passphrase });
        await MakeAsync();
        string[] made = Directory.GetFiles(Folder);
        string unfinished = Path.Combine(Folder, "bootstrap-20300101-000000.tar.zst.age.new"),
            snapshot = Path.Combine(Appliance.Options.DataFolder, "snapshot-0123");
        await Appliance.RestartAsync(() =>
        {
            File.WriteAllText(unfinished, "half");
            Directory.CreateDirectory(snapshot);
        });
        Assert.Equal(made, Directory.GetFiles(Folder));
        Assert.False(Directory.Exists(snapshot));
    }

    [Fact]
    public async Task Administrators_alone_see_and_make_backups_and_only_a_person_chooses_what_opens_them()
    {
        await PutAsync(new { passphrase = Passphrase });
        await MakeAsync();
        string name = Path.GetFileName(Directory.EnumerateFiles(Folder).Single());
        using HttpClient program = Appliance.CreateClient(), oper = Appliance.CreateClient(Role.Operator);
        foreach (string path in new[] { "backups", $"backups/{name}" })
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await oper.GetAsync(path, s_end)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await program.GetAsync(path, s_end)).StatusCode);
        }
        Assert.Equal(HttpStatusCode.Forbidden, (await oper.PostAsync("backups", null, s_end)).StatusCode);
        // With a passphrase of its own a program could keep all keys for longer than it may do anything.
        Assert.Equal(HttpStatusCode.Forbidden,
            (await program.PostAsJsonAsync("backup", new { passphrase = Passphrase }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden,
            (await program.PutAsJsonAsync("backups", new { passphrase = Passphrase }, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await program.PostAsync("backups", null, s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Api.GetAsync("backups/..%2Fsecrets.key", s_end)).StatusCode);
    }

    [Theory]
    [InlineData("{\"cron\":\"0 3 * * *\"}", "Backups by themselves need a passphrase that seals them.")]
    [InlineData("{\"passphrase\":\"short\"}", "A passphrase has 12 to 1024 characters, on one line.")]
    [InlineData("{\"cron\":\"0 3 * *\",\"passphrase\":\"correct horse battery\"}", "The cron line '0 3 * *' has 4 fields, not 5: minute, " +
        "hour, day of the month, month, day of the week.")]
    [InlineData("{\"cron\":\"0 3 * * *\",\"zone\":\"Mars/Base\",\"passphrase\":\"correct horse battery\"}", "There is no time zone " +
        "'Mars/Base': use a name such as Europe/Berlin, or UTC.")]
    [InlineData("{\"keep\":0}", "keep is 1 to 1000, not 0.")]
    public async Task A_plan_that_cannot_be_is_refused_in_a_sentence(string plan, string sentence)
    {
        using var content = new StringContent(plan, System.Text.Encoding.UTF8, "application/json");
        HttpResponseMessage response = await Api.PutAsync("backups", content, s_end);
        Assert.Equal((HttpStatusCode.BadRequest, sentence),
            (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString()));
    }

    [Fact]
    public async Task Without_a_passphrase_none_is_made() =>
        Assert.Equal(HttpStatusCode.Conflict, (await Api.PostAsync("backups", null, s_end)).StatusCode);

    private async Task MakeAsync()
    {
        await AskAsync();
        await UntilAsync(v => v["last"] is { } last && last["error"]!.ToString().Length == 0
            && (long)last["at"]! == _clock.Now.ToUnixTimeMilliseconds() && !(bool)v["running"]!);
    }

    private async Task AskAsync() => Assert.Equal(HttpStatusCode.Accepted, (await Api.PostAsync("backups", null, s_end)).StatusCode);

    private async Task<JsonNode> PutAsync(object plan)
    {
        HttpResponseMessage response = await Api.PutAsJsonAsync("backups", plan, s_end);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(s_end));
        return (await response.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
    }

    private async Task<JsonNode> GetAsync() => (await Api.GetFromJsonAsync<JsonNode>("backups", s_end))!;

    private Task UntilAsync(Predicate<JsonNode> holds) => Poll.UntilAsync(GetAsync, v => holds(v), s_end);
}
