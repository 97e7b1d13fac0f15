using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Access;

/// <summary><c>/users</c>, <c>/tokens</c> and <c>/audit</c>.</summary>
internal static class PeopleEndpoints
{
    private static readonly TimeSpan s_firstLinkLifetime = TimeSpan.FromDays(1);

    internal sealed record NewPerson(string Name, Role Role);

    /// <param name="Token">Of the link that signs him in the first time; good for a day.</param>
    internal sealed record Invitation(string Name, Role Role, string Token);

    /// <param name="Role">Null: as before.</param>
    /// <param name="RemovePassword">He has none any more, and signs in by link.</param>
    internal sealed record PersonEdit(Role? Role = null, bool RemovePassword = false);

    /// <param name="Role">Null: that of whoever asks.</param>
    /// <param name="Days">How long it is good; null: for ever.</param>
    internal sealed record NewToken(string Name, Role? Role = null, int? Days = null);

    /// <param name="Token">The secret: it is shown this once.</param>
    internal sealed record MadeToken(string Name, string Token);

    /// <summary>For administrators.</summary>
    public static void MapPeople(this IEndpointRouteBuilder api)
    {
        api.MapGet("/users", (People people) => people.All()).Needs(Role.Admin);
        api.MapPost("/users", (NewPerson wanted, People people, AccessTokens tokens) =>
            people.Add(wanted.Name, wanted.Role) is { Length: > 0 } fault ? Problems.Bad(fault) : Results.Created($"/api/v1/users/{wanted.Name}",
                new Invitation(wanted.Name, wanted.Role, tokens.CreateSignInLink(wanted.Name, s_firstLinkLifetime)))).WithSummary("Add a person");
        api.MapPatch("/users/{name}", (string name, PersonEdit wanted, People people, AccessTokens tokens) =>
        {
            if (people.Find(name) is null)
            {
                return Missing(name);
            }
            if (wanted.Role is { } role && people.SetRole(name, role) is { Length: > 0 } fault)
            {
                return Problems.Conflict(fault);
            }
            if (wanted.RemovePassword)
            {
                people.SetPassword(name, null);
                tokens.EndSessions(name, null);
            }
            return Results.Ok(people.Find(name));
        }).WithSummary("Change a person");
        api.MapPost("/users/{name}/sign-in-link", (string name, People people, AccessTokens tokens) => people.Find(name) is { } person
            ? Results.Ok(new Invitation(person.Name, person.Role, tokens.CreateSignInLink(name, s_firstLinkLifetime)))
            : Missing(name)).WithSummary("Make a sign-in link for a person");
        api.MapDelete("/users/{name}", (string name, People people) =>
            people.Find(name) is null ? Missing(name)
            : people.Remove(name) is { Length: > 0 } fault ? Problems.Conflict(fault)
            : Results.NoContent()).WithSummary("Remove a person");

        api.MapGet("/audit", (long? before, string? text, int? limit, AuditLog audit) => limit is < 1 or > AuditLog.MostListed
            ? Problems.Bad($"limit is 1 to {AuditLog.MostListed}, not {limit}.")
            : Results.Ok(audit.List(before, text, limit ?? AuditLog.MostListed))).Needs(Role.Admin);
    }

    /// <summary>Everybody has tokens; administrators see those of all.</summary>
    public static void MapTokens(this IEndpointRouteBuilder api)
    {
        api.MapGet("/tokens", (AccessTokens tokens, HttpContext context) => tokens.List(OwnerSeenBy(context)));
        api.MapPost("/tokens", (NewToken wanted, AccessTokens tokens, HttpContext context) =>
        {
            Caller caller = Caller.Of(context);
            Role role = wanted.Role ?? caller.Role;
            return wanted.Name.Trim() is not { Length: > 0 and <= 64 } name ? Problems.Bad("A token has a name of 1 to 64 characters.")
                : wanted.Days is < 1 or > 3650 ? Problems.Bad($"A token is good for 1 to 3650 days, not {wanted.Days}.")
                : role > caller.Role ? Problems.Bad($"A token of the role '{ApiJson.Word(role)}' takes somebody who has it.")
                : Results.Ok(new MadeToken(name, tokens.CreateToken(name, caller.Name, role, wanted.Days is { } days ? TimeSpan.FromDays(days) : null)));
        }).Needs(Role.Viewer).WithSummary("Make a token");
        api.MapDelete("/tokens/{id}", (string id, AccessTokens tokens, HttpContext context) =>
            tokens.RevokeToken(id, OwnerSeenBy(context)) ? Results.NoContent() : Problems.NotFound($"There is no token '{id}'."))
            .Needs(Role.Viewer).WithSummary("Revoke a token");
    }

    private static string? OwnerSeenBy(HttpContext context) => Caller.Of(context) is { Role: Role.Admin } ? null : Caller.Of(context).Name;

    private static IResult Missing(string name) => Problems.NotFound($"There is no person '{name}'.");
}
