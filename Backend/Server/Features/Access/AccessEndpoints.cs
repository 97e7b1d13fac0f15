using Bootstrap.Protocol;
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

    /// <param name="Sha256">As `bootstrap serve` prints it.</param>
    internal sealed record ShownFingerprint(string Sha256);

    /// <summary>Whether this browser is signed in, and as whom.</summary>
    internal sealed record Session(bool SignedIn, string? Name = null, Role? Role = null, bool? HasPassword = null);

    /// <param name="Current">The one so far, for those who have one.</param>
    /// <param name="Password">Null: none any more.</param>
    internal sealed record NewPassword(string? Password, string? Current = null);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/session", (SignIn request, Entrance entrance, HttpContext context) => entrance.Enter(request, context))
            .WithSummary("Sign in");
        api.MapGet("/session", (People people, HttpContext context) => Guard.CallerOf(context) is { } caller
            ? new Session(true, caller.Name, caller.Role, people.Find(caller.Name)?.HasPassword)
            : new Session(false));
        // Public by nature; whoever gets it here compares its fingerprint.
        api.MapGet("/ca/fingerprint", (CertificateAuthority authority) => new ShownFingerprint(Fingerprint.Of(authority.Certificate)));
        api.MapGet("/ca",
            (CertificateAuthority authority) => Results.Text(authority.Certificate.ExportCertificatePem(), "application/x-pem-file"));
        api.MapDelete("/session", (AccessTokens tokens, HttpContext context) =>
        {
            if (Guard.Secret(context) is { } session)
            {
                tokens.EndSession(session);
            }
            context.Response.Cookies.Delete(Guard.Cookie);
            return Results.NoContent();
        }).WithSummary("Sign out");
    }

    /// <summary>What only those may do who are signed in already, for themselves.</summary>
    public static void MapOwn(IEndpointRouteBuilder api)
    {
        api.MapPost("/sign-in-links", (AccessTokens tokens, HttpContext context) =>
            tokens.CreateSignInLink(Caller.Of(context), Caller.Of(context).Name, AccessTokens.LinkLifetime) is { } link
                ? Results.Ok(new SignIn(link))
                : Problems.Ended())
            .Needs(Role.Viewer).ForPeople().WithSummary("Make a sign-in link");
        api.MapPut("/session/password", (NewPassword wanted, People people, AccessTokens tokens, HttpContext context) =>
        {
            Caller caller = Caller.Of(context);
            if (people.Find(caller.Name) is { HasPassword: true } && !people.IsPassword(caller.Name, wanted.Current ?? ""))
            {
                return Problems.Bad("The current password is another one: nothing was changed. An administrator can make a sign-in link " +
                    "and take the password away.");
            }
            if (people.SetPassword(caller.Name, wanted.Password) is { Length: > 0 } fault)
            {
                return Problems.Bad(fault);
            }
            tokens.EndSessions(caller.Name, caller.Credential);
            return Results.NoContent();
        }).Needs(Role.Viewer).ForPeople().WithSummary("Change the own password");
    }
}
