using Bootstrap.Server.Features.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Access;

/// <summary>Stands before the API: lets those through who may, and writes down what they changed.</summary>
internal static class Guard
{
    /// <summary>The cookie of a browser that is signed in.</summary>
    public const string Cookie = "bootstrap-session";

    private sealed record Need(Role Role);

    private sealed record Reader;

    /// <summary>Who may use this endpoint, in the place of what its group says.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder builder, Role role)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Need(role));

    /// <summary>For what is asked by POST and changes nothing: whoever sees may ask, and nothing is written down.</summary>
    public static TBuilder OnlyReads<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Reader());

    /// <summary>Lets only those through who have a session's cookie or an API token (<c>Authorization: Bearer …</c>).</summary>
    /// <param name="change">The role of those who may do what is no GET.</param>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder builder, Role change)
        where TBuilder : IEndpointConventionBuilder => builder.AddEndpointFilter(async (context, next) =>
        {
            HttpContext http = context.HttpContext;
            EndpointMetadataCollection marks = http.GetEndpoint()!.Metadata;
            bool changes = !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method) && marks.GetMetadata<Reader>() is null;
            if (CallerOf(http) is not { } caller)
            {
                return Results.Problem("Sign in first: open the link that the appliance printed, or send an API token as 'Authorization: Bearer …'.",
                    statusCode: StatusCodes.Status401Unauthorized);
            }
            Role needed = marks.GetMetadata<Need>()?.Role ?? (changes ? change : Role.Viewer);
            Caller.Set(http, caller);
            object? answer = caller.Role >= needed ? await next(context) : Results.Problem(
                $"This takes the role '{ApiJson.Word(needed)}'; {caller.Name} has the role '{ApiJson.Word(caller.Role)}'.", statusCode: StatusCodes.Status403Forbidden);
            if (changes)
            {
                Record(http, caller.Name, answer);
            }
            return answer;
        });

    /// <summary>Whose secret came with the request; null: nobody's.</summary>
    public static Caller? CallerOf(HttpContext context) =>
        Secret(context) is { Length: > 0 and <= 128 } secret ? context.RequestServices.GetRequiredService<AccessTokens>().Find(secret) : null;

    /// <summary>The secret that came with the request.</summary>
    public static string? Secret(HttpContext context)
    {
        const string Bearer = "Bearer ";
        string header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(Bearer, StringComparison.Ordinal) ? header[Bearer.Length..] : context.Request.Cookies[Cookie];
    }

    /// <summary>Writes down what was done, or refused.</summary>
    /// <param name="answer">What the endpoint gave.</param>
    public static void Record(HttpContext http, string who, object? answer)
    {
        string what = http.GetEndpoint()!.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary ?? http.Request.Method;
        object? value = (answer as IValueHttpResult)?.Value ?? answer;
        int status = (answer as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status200OK;
        string refusal = status < StatusCodes.Status400BadRequest ? "" : (value as ProblemDetails)?.Detail ?? $"status {status}";
        IEnumerable<string> subjects = http.Request.RouteValues.Values.Select(v => v?.ToString() ?? "");
        if (value is JobDetail job && refusal.Length == 0)
        {
            subjects = [job.Describe()];
        }
        else if (value?.GetType().GetProperty("Name")?.GetValue(value) is string name && !subjects.Contains(name))
        {
            subjects = subjects.Append(name);
        }
        http.RequestServices.GetRequiredService<AuditLog>().Add(who, what, string.Join(", ", subjects.Where(s => s.Length > 0)), refusal);
    }
}
