using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Notifications;

/// <summary><c>/notifications</c>: who is told what happens, by webhook and e-mail.</summary>
internal static class NotificationEndpoints
{
    /// <param name="Waiting">Targets that could not be told something yet.</param>
    internal sealed record View(NotificationSettings Settings, IReadOnlyList<TargetState> Waiting);

    /// <param name="Target">Name of a webhook, or "e-mail".</param>
    internal sealed record Wanted(string Target);

    /// <summary>For administrators.</summary>
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/notifications", (NotificationStore store, NotificationSender sender) => new View(store.View(), sender.States()))
            .Needs(Role.Admin);
        api.MapPut("/notifications", (NotificationSettings wanted, NotificationStore store, NotificationSender sender) =>
            wanted.Validate() is { } fault
                ? Problems.Bad($"{fault} Nothing was changed.")
                : Results.Ok(new View(store.Put(wanted), sender.States()))).WithSummary("Change notifications");
        api.MapPost("/notifications/test", async (Wanted wanted, NotificationSender sender, CancellationToken cancellation) =>
            await sender.TestAsync(wanted.Target, cancellation) is { Length: > 0 } error
                ? Problems.Conflict($"The test did not arrive: {error}.")
                : Results.NoContent()).WithSummary("Send a test notification");
    }
}
