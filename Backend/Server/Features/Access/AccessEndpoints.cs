using Bootstrap.Server.Features.Trust;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Access;

/// <summary>Signing in and out, and the guard before everything else of the API.</summary>
internal static class AccessEndpoints
{
    private const string Cookie = "bootstrap-session";

    private sealed record SignIn(string Token);

    private sealed record Session(bool SignedIn);

    public static void MapAccess(this IEndpointRouteBuilder api)
    {
        api.MapPost("/session", (SignIn request, AccessTokens tokens, HttpContext context) =>
        {
            if (tokens.Redeem(request.Token) is not { } session)
            {
                return Results.Problem(
                    "This sign-in link was used before or is too old. Restart the appliance, or run `bootstrap sign-in` on it, for a new one.",
                    statusCode: StatusCodes.Status401Unauthorized);
            }
            // Strict: the browser sends it from our own pages alone, so that no other site can act in the user's name.
            context.Response.Cookies.Append(Cookie, session, new CookieOptions
            {
                HttpOnly = true,
                Secure = true,
                SameSite = SameSiteMode.Strict,
                MaxAge = TimeSpan.FromDays(7),
            });
            return Results.Ok(new Session(true));
        });
        api.MapGet("/session", (AccessTokens tokens, HttpContext context) => new Session(IsSignedIn(context, tokens)));
        // Public by nature; whoever gets it here compares its fingerprint.
        api.MapGet("/ca", (CertificateAuthority authority) => Results.Text(authority.Certificate.ExportCertificatePem(), "application/x-pem-file"));
        api.MapDelete("/session", (AccessTokens tokens, HttpContext context) =>
        {
            if (context.Request.Cookies[Cookie] is { } session)
            {
                tokens.Revoke(session);
            }
            context.Response.Cookies.Delete(Cookie);
            return Results.NoContent();
        });
    }

    /// <summary>What only those may do who are signed in already.</summary>
    public static void MapSignInLinks(this IEndpointRouteBuilder api) =>
        api.MapPost("/sign-in-links", (AccessTokens tokens) => new SignIn(tokens.CreateSignInLink()));

    /// <summary>Lets only those through who have a session's cookie or an API token (<c>Authorization: Bearer …</c>).</summary>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.AddEndpointFilter(async (context, next) =>
        {
            AccessTokens tokens = (AccessTokens)context.HttpContext.RequestServices.GetService(typeof(AccessTokens))!;
            return IsSignedIn(context.HttpContext, tokens)
                ? await next(context)
                : Results.Problem("Sign in first: open the link that the appliance printed, or send an API token as 'Authorization: Bearer …'.",
                    statusCode: StatusCodes.Status401Unauthorized);
        });

    private static bool IsSignedIn(HttpContext context, AccessTokens tokens)
    {
        const string Bearer = "Bearer ";
        string header = context.Request.Headers.Authorization.ToString();
        string? token = header.StartsWith(Bearer, StringComparison.Ordinal) ? header[Bearer.Length..] : context.Request.Cookies[Cookie];
        return token is { Length: > 0 and <= 128 } && tokens.IsValid(token);
    }
}
