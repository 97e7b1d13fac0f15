using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Schedules;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Backups;

/// <summary>Makes the appliance's backups: those that the plan says, and those that people ask for. One at a time.</summary>
internal sealed partial class BackupService(
    BackupFolder folder, DataFolder data, Database database, SettingsStore settings, SecretBox secrets, EventHub events, DataDisk disk,
        TimeProvider clock,
    ILogger<BackupService> logger) : BackgroundService
{
    private const string Key = "backups", StateKey = "backups-state", About = "backups";

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    /// <summary>A clock that is set back by less has its runs once.</summary>
    private static readonly TimeSpan s_correction = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _making = new(1);

    /// <summary>What a person has asked for: 1, until it is begun.</summary>
    private int _asked;

    /// <param name="Passphrase">Locked.</param>
    private sealed record Kept(BackupPlan Plan, string? Passphrase);

    /// <param name="SeenUntil">Runs of the plan up to this time have been dealt with, Unix milliseconds.</param>
    private sealed record State(long SeenUntil, LastBackup? Last = null);

    /// <summary>Whether one is being made.</summary>
    public bool IsRunning => _making.CurrentCount == 0;

    public BackupPlan Plan => Load() is { } kept ? kept.Plan with { PassphraseSet = kept.Passphrase is not null }
        : new BackupPlan(PassphraseSet: false);

    public LastBackup? Last => settings.Get<State>(StateKey)?.Last;

    /// <summary>When the next one is made by itself, Unix milliseconds; null: never.</summary>
    public long? Next => LineOf(Plan)?.Next(clock.GetUtcNow())?.ToUnixTimeMilliseconds();

    /// <summary>Changes the plan. A passphrase that is not given stays.</summary>
    public void Put(BackupPlan plan)
    {
        string? passphrase = plan.Passphrase is { } given ? secrets.Lock(given, About) : Load()?.Passphrase;
        settings.Set(StateKey, new State(Now, Last));
        settings.Set(Key, new Kept(plan with { Passphrase = null, PassphraseSet = null }, passphrase));
        Tell();
    }

    /// <summary>Has a backup made with the plan's passphrase, which there is, and kept in the folder of backups.</summary>
    /// <returns>False: one is being made already.</returns>
    public bool Ask() => !IsRunning && Interlocked.Exchange(ref _asked, 1) == 0;

    /// <summary>Writes a backup to somebody who waits for it.</summary>
    /// <returns>False: one is being made already, and nothing was written.</returns>
    public async Task<bool> SendAsync(Stream receiver, string passphrase, bool images, CancellationToken cancellation)
    {
        if (!await _making.WaitAsync(0, cancellation))
        {
            return false;
        }
        Tell();
        try
        {
            await BackupWriter.WriteAsync(data.FullPath, receiver, passphrase, images, clock.GetUtcNow(), cancellation);
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            LogBrokenOff(e.Message);
            throw;
        }
        finally
        {
            _making.Release();
            Tell();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(s_look, clock);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                bool due = Interlocked.Exchange(ref _asked, 0) == 1;
                if (due || (disk.Try(() => due = IsDue()) && due))
                {
                    await MakeAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The appliance stops; what was due is made when it runs again.
        }
    }

    /// <summary>Whether a run of the plan is due. All that were missed are one.</summary>
    private bool IsDue()
    {
        if (LineOf(Plan) is not { } line)
        {
            return false;
        }
        DateTimeOffset now = clock.GetUtcNow();
        var seen = DateTimeOffset.FromUnixTimeMilliseconds(settings.Get<State>(StateKey)?.SeenUntil ?? now.ToUnixTimeMilliseconds());
        if (seen > now + s_correction)
        {
            settings.Set(StateKey, new State(Now, Last)); // a clock that was wrong was set back: runs are due by the one that is right
        }
        return line.Next(seen < now ? seen : now) <= now;
    }

    private async Task MakeAsync(CancellationToken cancellation)
    {
        await _making.WaitAsync(cancellation);
        long began = Now;
        string error = "";
        Tell();
        try
        {
            Kept kept = Load()!;
            string passphrase = (kept.Passphrase is { } locked ? secrets.Unlock(locked, About) : null)
                ?? throw new InvalidDataException("set its passphrase anew");
            BackupView made = await folder.MakeAsync(data.FullPath, passphrase, kept.Plan.Images, clock.GetUtcNow(), cancellation);
            folder.Keep((Load() ?? kept).Plan.Keep, made);
            LogMade(made.Name, made.SizeBytes);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or SqliteException)
        {
            error = e.Message.TrimEnd('.');
            LogFailed(error);
        }
        finally
        {
            _making.Release();
        }
        disk.Try(() => Note(error, began));
        Tell();
    }

    /// <summary>Notes how it went; people are told of what failed, once until it goes well again.</summary>
    /// <param name="began">When it was begun, Unix milliseconds: what was due since is made next.</param>
    private void Note(string error, long began)
    {
        State? before = settings.Get<State>(StateKey);
        bool isNews = error.Length > 0 && before?.Last is not { Error.Length: > 0 };
        settings.Set(StateKey, new State(Math.Max(began, before?.SeenUntil ?? 0), new LastBackup(Now, error)));
        if (isNews)
        {
            database.Write(c => NoteFailure(c, error));
        }
    }

    private void NoteFailure(SqliteConnection c, string error) =>
        Outbox.Add(c, NoticeKind.BackupFailed, "", Now, $"the backup failed: {error}");

    private CronLine? LineOf(BackupPlan plan) => plan.Cron is null ? null : CronLine.Read(plan.Cron, plan.Zone, clock.GetUtcNow(), out _);

    private Kept? Load() => settings.Get<Kept>(Key);

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private void Tell() => events.Publish("backups", new { running = IsRunning });

    [LoggerMessage(LogLevel.Information, "The backup {Name} is made and verified ({Bytes} bytes)")]
    private partial void LogMade(string name, long bytes);

    [LoggerMessage(LogLevel.Error, "The backup failed: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(LogLevel.Error, "The backup that somebody fetches was broken off: {Reason}")]
    private partial void LogBrokenOff(string reason);
}
