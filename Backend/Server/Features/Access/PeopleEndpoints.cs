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
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/users", (People people) => people.All()).Needs(Role.Admin);
        api.MapPost("/users", (NewPerson wanted, People people, AccessTokens tokens, HttpContext context) =>
            people.Add(wanted.Name, wanted.Role) is { Length: > 0 } fault ? Problems.Bad(fault)
                : Invite(wanted.Name, wanted.Role, tokens, context) is { } invitation
                    ? Results.Created($"/api/v1/users/{wanted.Name}", invitation)
                : Problems.Ended()).ForPeople().WithSummary("Add a person");
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
        }).ForPeople().WithSummary("Change a person");
        api.MapPost("/users/{name}/sign-in-link", (string name, People people, AccessTokens tokens, HttpContext context) =>
            people.Find(name) is not { } person ? Missing(name)
                : Invite(name, person.Role, tokens, context) is { } invitation ? Results.Ok(invitation)
                : Problems.Ended()).ForPeople().WithSummary("Make a sign-in link for a person");
        api.MapDelete("/users/{name}", (string name, People people) =>
            people.Find(name) is null ? Missing(name)
            : people.Remove(name) is { Length: > 0 } fault ? Problems.Conflict(fault)
            : Results.NoContent()).ForPeople().WithSummary("Remove a person");

        api.MapGet("/audit", (long? before, string? text, int? limit, AuditLog audit) => limit is < 1 or > AuditLog.MostListed
            ? Problems.Bad($"limit is 1 to {AuditLog.MostListed}, not {limit}.")
            : Results.Ok(audit.List(before, text, limit ?? AuditLog.MostListed))).Needs(Role.Admin);
    }

    /// <summary>Everybody has tokens; administrators see those of all.</summary>
    public static void MapTokens(IEndpointRouteBuilder api)
    {
        api.MapGet("/tokens", (AccessTokens tokens, HttpContext context) =>
            tokens.List(Caller.Of(context) is { Role: Role.Admin } ? null : Caller.Of(context).Name));
        api.MapPost("/tokens", (NewToken wanted, AccessTokens tokens, TimeProvider clock, HttpContext context) =>
        {
            Caller caller = Caller.Of(context);
            Role role = wanted.Role ?? caller.Role;
            string name = wanted.Name.Trim();
            return Validate(wanted with { Name = name, Role = role }, caller, clock.GetUtcNow()) is { } fault ? Problems.Bad(fault)
                : tokens.CreateToken(caller, name, role, wanted.Days is { } days ? TimeSpan.FromDays(days) : null) is { } secret
                    ? Results.Ok(new MadeToken(name, secret))
                : Problems.Ended();
        }).Needs(Role.Viewer).WithSummary("Make a token");
        api.MapDelete("/tokens/{id}", (string id, AccessTokens tokens, HttpContext context) =>
            tokens.RevokeToken(id, Caller.Of(context)) ? Results.NoContent()
                : Problems.NotFound($"There is no token '{id}' that you may revoke."))
            .Needs(Role.Viewer).WithSummary("Revoke a token");
    }

    private static string? Validate(NewToken wanted, Caller caller, DateTimeOffset now) =>
        wanted.Name is not { Length: > 0 and <= 64 } ? "A token has a name of 1 to 64 characters."
        : wanted.Days is < 1 or > 3650 ? $"A token is good for 1 to 3650 days, not {wanted.Days}."
        : wanted.Role > caller.Role ? $"A token of the role '{ApiJson.Word(wanted.Role!.Value)}' takes somebody who has it."
        : caller is { Kind: SecretKind.Token, ExpiresAt: { } end } && wanted.Days is { } days
            && now.AddDays(days).ToUnixTimeMilliseconds() > end
            ? $"A token makes no other that outlives it: this one ends {DateTimeOffset.FromUnixTimeMilliseconds(end):yyyy-MM-dd HH:mm} UTC."
        : null;

    private static Invitation? Invite(string name, Role role, AccessTokens tokens, HttpContext context) =>
        tokens.CreateSignInLink(Caller.Of(context), name, s_firstLinkLifetime) is { } token ? new Invitation(name, role, token) : null;

    private static IResult Missing(string name) => Problems.NotFound($"There is no user '{name}'.");
}
