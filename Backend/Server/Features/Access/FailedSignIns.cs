using System.Net;
using Bootstrap.Server.Storage;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Access;

/// <summary>
/// Those who were not let in, in the audit log: one line for each address and name in a minute, with their number, and one for all others
/// when there are too many. A flood of guesses is a few lines.
/// </summary>
internal sealed class FailedSignIns(AuditLog audit, DataDisk disk, TimeProvider clock) : BackgroundService
{
    /// <summary>Lines of one minute that name an address.</summary>
    public const int MostSources = 50;

    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1), s_writeInterval = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Line> _lines = [];
    private DateTimeOffset _windowStart;

    private sealed record Line(long Id, string Refusal)
    {
        public int Count { get; set; } = 1;

        public int Written { get; set; } = 1;
    }

    /// <summary>Notes one that failed.</summary>
    /// <param name="source">Where it came from.</param>
    /// <param name="name">The person whose name it had; empty: nobody's.</param>
    /// <param name="what">What was tried.</param>
    /// <param name="refusal">Why it failed.</param>
    public void Add(IPAddress? source, string name, string what, string refusal)
    {
        lock (_lock)
        {
            DateTimeOffset now = clock.GetUtcNow();
            if (now - _windowStart >= s_window || now < _windowStart)
            {
                Write();
                _lines.Clear();
                _windowStart = now;
            }
            string subject = $"{(name.Length > 0 ? name : "unknown")} from {Sources.HostOf(source)}";
            if (_lines.Count >= MostSources && !_lines.ContainsKey(subject))
            {
                subject = "others";
            }
            if (_lines.TryGetValue(subject, out Line? line))
            {
                line.Count++;
            }
            else
            {
                _lines.Add(subject, new Line(audit.Add("", what, subject, refusal), refusal));
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_writeInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            lock (_lock)
            {
                Write();
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        lock (_lock)
        {
            Write();
        }
    }

    private void Write()
    {
        foreach (Line line in _lines.Values.Where(l => l.Count > l.Written))
        {
            if (!disk.Try(() => audit.Amend(line.Id, $"{line.Refusal} ({line.Count} times within a minute)")))
            {
                return;
            }
            line.Written = line.Count;
        }
    }
}
