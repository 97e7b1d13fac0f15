using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Features.Events;

/// <summary>
/// <c>GET /events</c>: server-sent events (WHATWG HTML, 9.2). Event names and data as in <see cref="ApplianceEvent"/>; <c>reset</c> says
/// that too much was missed and everything must be read anew.
/// </summary>
internal static class EventEndpoints
{
    private static readonly TimeSpan s_quietPeriod = TimeSpan.FromSeconds(15);

    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/events", async (
        HttpContext context, EventHub hub, IHostApplicationLifetime lifetime, TimeProvider clock) =>
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return; // what there is to say has no end
        }
        long? lastSeen = long.TryParse(context.Request.Headers["Last-Event-ID"], CultureInfo.InvariantCulture, out long id) ? id : null;
        // An appliance that stops does not wait for those who watch.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        CancellationToken gone = stop.Token;
        try
        {
            // Watched first, and then said to be open: what happens from then on is told.
            await using IAsyncEnumerator<ApplianceEvent?> events = hub.WatchAsync(lastSeen, gone).GetAsyncEnumerator(gone);
            Task<bool> next = events.MoveNextAsync().AsTask();
            try
            {
                await context.Response.WriteAsync("retry: 1000\n\n", gone);
                await context.Response.Body.FlushAsync(gone);
                while (true)
                {
                    // A comment now and then shows proxies, and us, that the other side is still there.
                    if (await Task.WhenAny(next, Task.Delay(s_quietPeriod, clock, gone)) != next)
                    {
                        await context.Response.WriteAsync(":\n\n", gone);
                    }
                    else if (await next)
                    {
                        string text = events.Current is { } e ? $"id: {e.Id}\nevent: {e.Name}\ndata: {e.Json}\n\n"
                            : "event: reset\ndata: {}\n\n";
                        await context.Response.WriteAsync(text, gone);
                        next = events.MoveNextAsync().AsTask();
                    }
                    else
                    {
                        return;
                    }
                    await context.Response.Body.FlushAsync(gone);
                }
            }
            finally
            {
                // The watching must have come to rest before it can be given up.
                await stop.CancelAsync();
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // The watcher went away, or the appliance stops.
        }
    });
}
