using System.Collections.Concurrent;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Access;

/// <summary>
/// The requests that are being answered, each as long as its credential is good: what is revoked or has expired, and whose person lost the
/// role or was removed, is cut off within a second, whatever it does (an event stream, an upload, a download, a node's link).
/// </summary>
internal sealed class LiveRequests(AccessTokens tokens, DataDisk disk, TimeProvider clock) : BackgroundService
{
    /// <summary>Looking is simpler than being told, and sees every way in which a credential ends.</summary>
    private static readonly TimeSpan s_checkInterval = TimeSpan.FromMilliseconds(400);

    private readonly ConcurrentDictionary<Live, bool> _live = new();

    /// <summary>Watches over a request until what is returned is disposed.</summary>
    /// <param name="needed">The role that its endpoint takes.</param>
    public IDisposable Add(HttpContext http, Caller caller, Role needed)
    {
        var live = new Live(this, http) { Caller = caller, Needed = needed };
        _live.TryAdd(live, true);
        return live;
    }

    /// <summary>Watches over a request to its end.</summary>
    /// <param name="isGood">Whether what let it in still would; asked several times a second.</param>
    public void Watch(HttpContext http, Func<bool> isGood)
    {
        var live = new Live(this, http) { IsGood = isGood };
        _live.TryAdd(live, true);
        http.Response.RegisterForDispose(live);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_checkInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            disk.Try(Check);
        }
    }

    private void Check()
    {
        ILookup<bool, Live> live = _live.Keys.ToLookup(l => l.Caller is not null);
        foreach (Live request in live[false])
        {
            request.Judge(IsGood(request));
        }
        if (!live[true].Any())
        {
            return;
        }
        IReadOnlyDictionary<string, Caller> good = tokens.Find(live[true].Select(l => l.Caller!.Credential));
        foreach (Live request in live[true])
        {
            request.Judge(good.TryGetValue(request.Caller!.Credential, out Caller? now) && now.Role >= request.Needed);
        }
    }

    /// <summary>One that cannot be asked at the moment says nothing of the others.</summary>
    private bool IsGood(Live request)
    {
        bool good = true;
        disk.Try(() => good = request.IsGood!());
        return good;
    }

    private sealed class Live(LiveRequests requests, HttpContext http) : IDisposable
    {
        private readonly Lock _lock = new();
        private bool _over, _doubted;

        public Caller? Caller { get; init; }

        public Role Needed { get; init; }

        /// <summary>Where there is no caller.</summary>
        public Func<bool>? IsGood { get; init; }

        /// <summary>Ends it at the second look at which it is not good any more: whoever ends his own credential gets his answer.</summary>
        public void Judge(bool isGood)
        {
            if (!isGood && _doubted)
            {
                End();
            }
            _doubted = !isGood;
        }

        /// <summary>Cuts the request off, unless it is over: its context may serve another one by then.</summary>
        private void End()
        {
            lock (_lock)
            {
                if (!_over)
                {
                    http.Abort();
                }
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _over = true;
            }
            requests._live.TryRemove(this, out _);
        }
    }
}
