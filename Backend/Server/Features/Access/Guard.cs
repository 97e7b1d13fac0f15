using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Access;

/// <summary>
/// Stands before the API: lets those through who may, before anything of the body is read; ends their requests when they may no longer; and
/// writes down what they changed.
/// </summary>
internal static class Guard
{
    /// <summary>The cookie of a browser that is signed in.</summary>
    public const string Cookie = "bootstrap-session";

    /// <summary>Nobody needs more to sign in.</summary>
    private const long StrangersBodyBytes = 4096;

    private const int LongestSecret = 128;

    /// <summary>Of a request that is in the audit log.</summary>
    private static readonly object s_recorded = new();

    /// <param name="Change">The role of those who may do what is no GET.</param>
    private sealed record SignInRequired(Role Change);

    private sealed record Need(Role Role);

    private sealed record Reader;

    private sealed record PersonOnly;

    /// <summary>Who may use this endpoint, in the place of what its group says.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder builder, Role role)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Need(role));

    /// <summary>For what is asked by POST and changes nothing: whoever sees may ask, and nothing is written down.</summary>
    public static TBuilder OnlyReads<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Reader());

    /// <summary>For what lets somebody in, or keeps him out: a person does it who is signed in, and no program with a token of
    /// his.</summary>
    public static TBuilder ForPeople<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new PersonOnly());

    /// <summary>Lets only those through who have a session's cookie or an API token (<c>Authorization: Bearer …</c>).</summary>
    /// <param name="change">The role of those who may do what is no GET.</param>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder builder, Role change)
        where TBuilder : IEndpointConventionBuilder =>
            builder.WithMetadata(new SignInRequired(change)).AddEndpointFilter(async (context, next) =>
        {
            object? answer = await next(context);
            HttpContext http = context.HttpContext;
            if (Changes(http))
            {
                Record(http, Caller.Of(http).Name, answer);
            }
            return answer;
        });

    /// <summary>Checks who asks, where the endpoint that was found requires it.</summary>
    public static void UseGuard(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<SignInRequired>() is not { } required)
        {
            // Where nodes prove themselves by their certificates, each endpoint has its own limit.
            if (!Listeners.CameBy(http, Listener.Link))
            {
                http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = StrangersBodyBytes;
            }
            await next(http);
            return;
        }
        if (CallerOf(http) is not { } caller)
        {
            await Results.Problem(
                "Sign in first: open the link that the appliance printed, or send an API token as 'Authorization: Bearer …'.",
                statusCode: StatusCodes.Status401Unauthorized).ExecuteAsync(http);
            return;
        }
        ConnectionBudget.Prove(http, caller.Name, caller.Credential, ConnectionBudget.OfPerson);
        EndpointMetadataCollection marks = http.GetEndpoint()!.Metadata;
        Role needed = marks.GetMetadata<Need>()?.Role ?? (Changes(http) ? required.Change : Role.Viewer);
        if (Validate(caller, needed, marks.GetMetadata<PersonOnly>() is not null) is { } refusal)
        {
            IResult answer = Results.Problem(refusal, statusCode: StatusCodes.Status403Forbidden);
            if (Changes(http))
            {
                Record(http, caller.Name, answer);
            }
            await answer.ExecuteAsync(http);
            return;
        }
        Caller.Set(http, caller);
        using (http.RequestServices.GetRequiredService<LiveRequests>().Add(http, caller, needed))
        {
            try
            {
                await next(http);
            }
            catch (Exception e) when (Changes(http) && !http.Items.ContainsKey(s_recorded))
            {
                // Nobody knows what of it was done. What the exception says may hold what was sent.
                Record(http, caller.Name, Results.Problem(e is BadHttpRequestException ? "the request could not be read"
                    : http.RequestAborted.IsCancellationRequested ? "the request was broken off"
                    : "the appliance failed in the middle of it"));
                throw;
            }
        }
    });

    /// <summary>Whose secret came with the request; null: nobody's.</summary>
    public static Caller? CallerOf(HttpContext context) =>
        Secret(context) is { Length: > 0 and <= LongestSecret } secret
            ? context.RequestServices.GetRequiredService<AccessTokens>().Find(secret)
            : null;

    /// <summary>The secret that came with the request.</summary>
    public static string? Secret(HttpContext context)
    {
        const string Bearer = "Bearer ";
        string header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..] : context.Request.Cookies[Cookie];
    }

    /// <summary>Writes down what was done, or refused.</summary>
    /// <param name="answer">What the endpoint gave.</param>
    public static void Record(HttpContext http, string who, object? answer)
    {
        http.Items[s_recorded] = true;
        object? value = (answer as IValueHttpResult)?.Value ?? answer;
        int status = (answer as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status200OK;
        string refusal = status < StatusCodes.Status400BadRequest ? "" : (value as ProblemDetails)?.Detail ?? $"status {status}";
        IEnumerable<string> subjects = http.Request.RouteValues.Values.Select(v => v?.ToString() ?? "");
        if (value is IAudited done && refusal.Length == 0)
        {
            subjects = [done.Describe()];
        }
        else if (value?.GetType().GetProperty("Name")?.GetValue(value) is string name && !subjects.Contains(name))
        {
            subjects = subjects.Append(name);
        }
        http.RequestServices.GetRequiredService<AuditLog>()
            .Add(who, Action(http), string.Join(", ", subjects.Where(s => s.Length > 0)), refusal);
    }

    /// <summary>What the request's endpoint does, in words.</summary>
    public static string Action(HttpContext http) =>
        http.GetEndpoint()!.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary ?? http.Request.Method;

    private static bool Changes(HttpContext http) =>
        !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method)
        && http.GetEndpoint()!.Metadata.GetMetadata<Reader>() is null;

    private static string? Validate(Caller caller, Role needed, bool personOnly) =>
        caller.Role < needed ? $"This takes the role '{ApiJson.Word(needed)}'; {caller.Name} has the role '{ApiJson.Word(caller.Role)}'."
        : personOnly && caller.Kind != SecretKind.Session
            ? "This takes a person who is signed in, on the page or by `bootstrap login --link-file`: a program's token makes no links, no "
                + "passwords and no passphrases of backups, and does not say who may sign in."
        : null;
}
