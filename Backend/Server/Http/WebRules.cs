using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Bootstrap.Server.Http;

/// <summary>What holds for every request to the page and the API.</summary>
internal static class WebRules
{
    /// <summary>
    /// 30 days (RFC 6797). Browsers believe it only where they trust the certificate, so it binds those who installed this appliance's CA;
    /// long
    /// enough to last between visits, and short enough that an appliance that was set up anew, with another CA, is not out of reach for
    /// ever.
    /// Other names below this one are not the appliance's.
    /// </summary>
    private const string StrictTransport = "max-age=2592000";

    private sealed record FileBody;

    /// <summary>The request's body is a file as it is, and no JSON.</summary>
    public static TBuilder TakesFile<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new FileBody());

    /// <summary>Tells browsers never to come by plain HTTP.</summary>
    public static void UseStrictTransport(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (Listeners.CameBy(context, Listener.Web))
        {
            // As the answer begins: what an error handler starts anew has it too.
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.StrictTransportSecurity = StrictTransport;
                return Task.CompletedTask;
            });
        }
        return next(context);
    });

    /// <summary>
    /// Finds the endpoint of a request. HEAD is for whatever answers GET, and gets the same answer without its body (RFC 9110 §9.3.2):
    /// routing takes the one for the other, endpoints know them apart.
    /// </summary>
    public static void UseRoutingOfHead(this IApplicationBuilder app)
    {
        object head = new();
        app.Use((context, next) =>
        {
            if (HttpMethods.IsHead(context.Request.Method))
            {
                context.Items[head] = head;
                context.Request.Method = HttpMethods.Get;
            }
            return next(context);
        });
        app.UseRouting();
        app.Use((context, next) =>
        {
            if (context.Items.Remove(head))
            {
                context.Request.Method = HttpMethods.Head;
            }
            return next(context);
        });
    }

    /// <summary>
    /// Refuses bodies of another type than the endpoint takes (415). No form of another site can name one of these types, so that what a
    /// browser
    /// sends without asking never comes to anything.
    /// </summary>
    public static void UseBodyTypes(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        // What it says of its length suffices; one that says nothing, or too little, is stopped where it is read.
        if (context.GetEndpoint()?.Metadata.GetMetadata<FileBody>() is null
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize is { } most
                && context.Request.ContentLength > most)
        {
            return Results.Problem($"This takes no more than {most} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge)
                .ExecuteAsync(context);
        }
        bool reads = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        return reads || !Listeners.CameBy(context, Listener.Web) || Validate(context) is not { } refusal
            ? next(context)
            : Results.Problem(refusal, statusCode: StatusCodes.Status415UnsupportedMediaType).ExecuteAsync(context);
    });

    private static string? Validate(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (context.GetEndpoint()?.Metadata.GetMetadata<FileBody>() is not null)
        {
            // A program that sends its token itself may leave the type out: nobody makes a browser do that.
            bool said = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
                ? type.MediaType.Equals(MediaTypeNames.Application.Octet, StringComparison.OrdinalIgnoreCase)
                : request.ContentType is null && request.Headers.Authorization.Count > 0;
            return said ? null : "This takes a file as it is: send it as 'Content-Type: application/octet-stream'.";
        }
        bool empty = request.ContentType is null && context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true };
        return empty || request.HasJsonContentType() ? null : "This takes JSON: send it as 'Content-Type: application/json'.";
    }
}
