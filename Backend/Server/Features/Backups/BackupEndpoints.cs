using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Backups;

/// <summary><c>/backups</c>: copies of all that the appliance keeps, sealed by a passphrase.</summary>
internal static class BackupEndpoints
{
    /// <param name="Folder">Where backups are kept, on the appliance.</param>
    /// <param name="Next">When the next one is made by itself, Unix milliseconds; null: never.</param>
    /// <param name="Running">One is being made.</param>
    /// <param name="Last">How the last one went; null: there was none.</param>
    internal sealed record View(BackupPlan Plan, string Folder, IReadOnlyList<BackupView> Backups, long? Next, bool Running,
        LastBackup? Last);

    /// <param name="Passphrase">Opens what is sent.</param>
    /// <param name="Images">With the images' bytes.</param>
    internal sealed record Wanted(string Passphrase, bool Images = false);

    private const string Busy = "A backup is being made: try again when it is done.";

    /// <summary>For administrators. Whoever chooses a passphrase can read what it seals, the appliance's keys among it: a person does
    /// that.</summary>
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/backups", (BackupService service, BackupFolder folder) => Show(service, folder)).Needs(Role.Admin);
        api.MapPut("/backups", (BackupPlan wanted, BackupService service, BackupFolder folder, TimeProvider clock) =>
        {
            BackupPlan plan = wanted with { PassphraseSet = service.Plan.PassphraseSet };
            if (plan.Validate(clock.GetUtcNow()) is { } fault)
            {
                return Problems.Bad(fault);
            }
            service.Put(plan);
            return Results.Ok(Show(service, folder));
        }).ForPeople().WithSummary("Change how backups are made");
        api.MapPost("/backups", (BackupService service) =>
            service.Plan.PassphraseSet is not true
                ? Problems.Conflict("Set the passphrase that seals backups first, by `bootstrap backups set` or under Settings, Backups.")
            : service.Ask() ? Results.Accepted("/api/v1/backups") : Problems.Conflict(Busy)).WithSummary("Make a backup");
        api.MapGet("/backups/{name}", (string name, BackupFolder folder, AuditLog log, HttpContext http) =>
        {
            if (folder.PathOf(name) is not { } path)
            {
                return Missing(name);
            }
            log.Add(Caller.Of(http).Name, Guard.Action(http), name, ""); // whoever has it and its passphrase has all keys
            return Results.File(path, "application/octet-stream", name, enableRangeProcessing: true);
        }).Needs(Role.Admin).WithSummary("Fetch a kept backup");
        api.MapDelete("/backups/{name}", (string name, BackupFolder folder) =>
        {
            if (folder.PathOf(name) is not { } path)
            {
                return Missing(name);
            }
            File.Delete(path);
            return Results.NoContent();
        }).WithSummary("Remove a backup");
        api.MapPost("/backup", async (Wanted wanted, BackupService service, HttpContext http) =>
        {
            if (BackupPlan.FaultOf(wanted.Passphrase) is { } fault)
            {
                return Problems.Bad(fault);
            }
            if (service.IsRunning)
            {
                return Problems.Conflict(Busy);
            }
            http.Response.ContentType = "application/octet-stream";
            try
            {
                return await service.SendAsync(http.Response.Body, wanted.Passphrase, wanted.Images, http.RequestAborted)
                    ? Results.Empty : Problems.Conflict(Busy);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                var problem = new ProblemDetails
                {
                    Detail = $"The backup failed: {e.Message.TrimEnd('.')}.",
                    Status = StatusCodes.Status500InternalServerError
                };
                return http.Response.HasStarted ? new BrokenOff(problem) : Results.Problem(problem);
            }
        }).ForPeople().WithSummary("Fetch a backup");
    }

    /// <summary>What was sent is cut off, so that its receiver knows that it is not whole.</summary>
    private sealed class BrokenOff(ProblemDetails problem) : IResult, IStatusCodeHttpResult, IValueHttpResult
    {
        public int? StatusCode => problem.Status;

        public object Value => problem;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Abort();
            return Task.CompletedTask;
        }
    }

    private static View Show(BackupService service, BackupFolder folder) =>
        new(service.Plan, folder.FullPath, folder.List(), service.Next, service.IsRunning, service.Last);

    private static IResult Missing(string name) => Problems.NotFound($"There is no backup '{name}'.");
}
