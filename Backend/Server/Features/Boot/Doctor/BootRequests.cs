using System.Net;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Tftp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>Reports requests for boot files over plain HTTP to the recorder.</summary>
internal static class BootRequests
{
    private static readonly object s_leftAlone = new();

    /// <summary>Says of a request that its answer tells the board to boot its own disk.</summary>
    public static void MarkLeftAlone(HttpContext context) => context.Items[s_leftAlone] = s_leftAlone;

    public static void UseBootRequests(this IApplicationBuilder app)
    {
        BootRecorder recorder = app.ApplicationServices.GetRequiredService<BootRecorder>();
        TimeProvider clock = app.ApplicationServices.GetRequiredService<TimeProvider>();
        app.UseWhen(c => Listeners.CameBy(c, Listener.Plain) && (IsBoot(c) || IsNetInst(c)), boot => boot.Use(async (context, next) =>
        {
            long begun = clock.GetUtcNow().ToUnixTimeMilliseconds();
            bool broken = true;
            try
            {
                await next(context);
                broken = context.RequestAborted.IsCancellationRequested;
            }
            finally
            {
                IPAddress address = Sources.Plain(context.Connection.RemoteIpAddress!);
                recorder.Fetched(new BootClient(address, NeighbourTable.Find(address)), Describe(context, begun, broken),
                    onlyIfBooting: IsNetInst(context));
            }
        }));
    }

    private static bool IsBoot(HttpContext context) => context.Request.Path.StartsWithSegments("/boot", StringComparison.Ordinal);

    /// <summary>A running Slave fetches NetInst as well, to stage it: that is no boot.</summary>
    private static bool IsNetInst(HttpContext context) => context.Request.Path.StartsWithSegments("/netinst", StringComparison.Ordinal);

    private static FileEvent Describe(HttpContext context, long begun, bool broken)
    {
        long? length = context.Response.StatusCode < 300 ? context.Response.ContentLength : null;
        TftpOutcome outcome = (context.Response.StatusCode, broken) switch
        {
            (StatusCodes.Status404NotFound, _) => TftpOutcome.NotFound,
            ( >= 500, _) => TftpOutcome.Failed,
            ( >= 400, _) => TftpOutcome.Refused,
            (_, true) => TftpOutcome.Aborted,
            _ when HttpMethods.IsHead(context.Request.Method) => TftpOutcome.Probed,
            _ => TftpOutcome.Completed,
        };
        return new FileEvent(begun, FileProtocol.Http, context.Request.Path.Value!.TrimStart('/'), outcome,
            outcome == TftpOutcome.Completed ? length ?? 0 : 0)
        {
            Length = length,
            IsLeftAlone = context.Items.ContainsKey(s_leftAlone),
        };
    }
}
