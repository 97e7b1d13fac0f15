using Bootstrap.Server.Features.Trust;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Access;

/// <summary><c>/session</c>: signing in and out.</summary>
internal static class AccessEndpoints
{
    /// <param name="Token">Of a sign-in link; or <paramref name="Name"/> and <paramref name="Password"/>.</param>
    internal sealed record SignIn(string? Token = null, string? Name = null, string? Password = null);

    /// <summary>Whether this browser is signed in, and as whom.</summary>
    internal sealed record Session(bool SignedIn, string? Name = null, Role? Role = null, bool? HasPassword = null);

    /// <param name="Current">The one so far, for those who have one.</param>
    /// <param name="Password">Null: none any more.</param>
    internal sealed record NewPassword(string? Password, string? Current = null);

    public static void MapAccess(this IEndpointRouteBuilder api)
    {
        api.MapPost("/session", (SignIn request, AccessTokens tokens, People people, HttpContext context) =>
        {
            IResult answer = Enter(request, tokens, people, context, out string who);
            // Somebody who was not let in is nobody: what he calls himself is not written down as a name.
            Guard.Record(context, who, answer);
            return answer;
        }).WithSummary("Sign in");
        api.MapGet("/session", (People people, HttpContext context) => Guard.CallerOf(context) is { } caller
            ? new Session(true, caller.Name, caller.Role, people.Find(caller.Name)?.HasPassword)
            : new Session(false));
        // Public by nature; whoever gets it here compares its fingerprint.
        api.MapGet("/ca", (CertificateAuthority authority) => Results.Text(authority.Certificate.ExportCertificatePem(), "application/x-pem-file"));
        api.MapDelete("/session", (AccessTokens tokens, HttpContext context) =>
        {
            if (context.Request.Cookies[Guard.Cookie] is { } session)
            {
                tokens.Revoke(session);
            }
            context.Response.Cookies.Delete(Guard.Cookie);
            return Results.NoContent();
        }).WithSummary("Sign out");
    }

    /// <summary>What only those may do who are signed in already, for themselves.</summary>
    public static void MapOwnAccess(this IEndpointRouteBuilder api)
    {
        api.MapPost("/sign-in-links", (AccessTokens tokens, HttpContext context) =>
            new SignIn(tokens.CreateSignInLink(Caller.Of(context).Name, AccessTokens.LinkLifetime))).Needs(Role.Viewer).WithSummary("Make a sign-in link");
        api.MapPut("/session/password", (NewPassword wanted, People people, AccessTokens tokens, HttpContext context) =>
        {
            string name = Caller.Of(context).Name;
            if (people.Find(name) is { HasPassword: true } && !people.IsPassword(name, wanted.Current ?? "", out _))
            {
                return Problems.Bad("The current password is another one: nothing was changed. An administrator can make a sign-in link and take the password away.");
            }
            if (people.SetPassword(name, wanted.Password) is { Length: > 0 } fault)
            {
                return Problems.Bad(fault);
            }
            tokens.EndSessions(name, Guard.Secret(context));
            return Results.NoContent();
        }).Needs(Role.Viewer).WithSummary("Change the own password");
    }

    private static IResult Enter(SignIn request, AccessTokens tokens, People people, HttpContext context, out string who)
    {
        who = "";
        string? session = null;
        if (request is { Name: { } name, Password: { } password })
        {
            if (!people.IsPassword(name, password, out bool tooMany))
            {
                return tooMany
                    ? Results.Problem("There were too many attempts: wait a minute.", statusCode: StatusCodes.Status429TooManyRequests)
                    : Results.Problem("Name and password do not go together. Without a password, a link signs in: an administrator or `bootstrap sign-in` makes one.",
                        statusCode: StatusCodes.Status401Unauthorized);
            }
            session = tokens.CreateSession(who = name);
        }
        else if (request.Token is not { } token)
        {
            return Problems.Bad("Signing in takes the token of a link, or name and password.");
        }
        else if ((session = tokens.Redeem(token, out who)) is null)
        {
            return Results.Problem(
                "This sign-in link was used before or is too old. Restart the appliance, or run `bootstrap sign-in` on it, for a new one.",
                statusCode: StatusCodes.Status401Unauthorized);
        }
        // Strict: the browser sends it from our own pages alone, so that no other site can act in the user's name.
        context.Response.Cookies.Append(Guard.Cookie, session, new CookieOptions
        {
            HttpOnly = true,
            Secure = true,
            SameSite = SameSiteMode.Strict,
            MaxAge = TimeSpan.FromDays(7),
        });
        return Results.Ok(new Session(true));
    }
}
