using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Bootstrap.Server.Features.Access;

/// <summary>Lets people in: by the token of a link, or by name and password.</summary>
internal sealed class Entrance(AccessTokens tokens, People people, SignInDelays delays, FailedSignIns failures)
{
    /// <summary>The cookie of a browser in which somebody has signed in before.</summary>
    public const string BrowserCookie = "bootstrap-browser";

    private const string WrongPassword =
        "Wrong user name or password. Without a password, a link signs in: an administrator or `bootstrap sign-in` makes one.";

    private const string WrongLink =
        "This sign-in link was used before or has expired. An administrator makes a new one (Settings, Users), or "
        + "`bootstrap sign-in` where you are signed in, or the appliance when it restarts.";

    /// <summary>Tries it; the answer does not tell whether there is anybody of that name.</summary>
    public IResult Enter(AccessEndpoints.SignIn request, HttpContext context)
    {
        if (request is { Name: { } name, Password: { } password })
        {
            return EnterByPassword(name, password, context);
        }
        if (request.Token is not { } token)
        {
            return Problems.Bad("Signing in takes the token of a link, or name and password.");
        }
        return tokens.Redeem(token, out string owner) is { } session
            ? Welcome(owner, session, context)
            : Refuse("", WrongLink, StatusCodes.Status401Unauthorized, context);
    }

    private IResult EnterByPassword(string name, string password, HttpContext context)
    {
        string? browser = context.Request.Cookies[BrowserCookie];
        browser = tokens.IsBrowserOf(browser, name) ? browser : null;
        TimeSpan wait = delays.Take(context.Connection.RemoteIpAddress, name, browser);
        // What somebody calls himself is written down only where it is a name, and not a password in the wrong field.
        string known = people.Find(name)?.Name ?? "";
        if (wait > TimeSpan.Zero)
        {
            int seconds = (int)Math.Ceiling(wait.TotalSeconds);
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            string sentence = $"There were too many attempts: wait {seconds} s, or sign in by a link.";
            return Refuse(known, sentence, StatusCodes.Status429TooManyRequests, context);
        }
        if (!people.IsPassword(name, password))
        {
            return Refuse(known, WrongPassword, StatusCodes.Status401Unauthorized, context);
        }
        delays.Succeeded(context.Connection.RemoteIpAddress, name, browser);
        return Welcome(name, tokens.CreateSession(name), context);
    }

    private IResult Refuse(string name, string sentence, int status, HttpContext context)
    {
        failures.Add(context.Connection.RemoteIpAddress, name, Guard.Action(context), sentence);
        return Results.Problem(sentence, statusCode: status);
    }

    private IResult Welcome(string name, string session, HttpContext context)
    {
        SetCookie(context, Guard.Cookie, session, AccessTokens.SessionLifetime);
        if (!tokens.IsBrowserOf(context.Request.Cookies[BrowserCookie], name))
        {
            SetCookie(context, BrowserCookie, tokens.CreateBrowser(name), AccessTokens.BrowserLifetime);
        }
        IResult answer = Results.Ok(new AccessEndpoints.Session(true));
        Guard.Record(context, name, answer);
        return answer;
    }

    /// <summary>Strict: the browser sends it from our own pages alone, so that no other site can act in the user's name.</summary>
    private static void SetCookie(HttpContext context, string name, string value, TimeSpan lifetime) =>
        context.Response.Cookies.Append(
            name, value, new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Strict, MaxAge = lifetime });
}
