using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Http;

/// <summary>
/// Answers that are sent compressed: the page's own files, and the lists that are marked. The length of a compressed answer tells what
/// stands in it twice, also through TLS (BREACH, breachattack.com): where a secret and somebody else's words could share a body, nothing
/// is compressed. Images, files and chunks are compressed already, where that is of use.
/// </summary>
internal static class Compression
{
    /// <summary>The endpoint's answers hold nothing that opens anything.</summary>
    internal sealed record Mark;

    /// <summary>Sends the answers of an endpoint compressed: they are long, and no secret is in them.</summary>
    public static TBuilder Compresses<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new Mark());

    public static IServiceCollection AddCompression(this IServiceCollection services) => services.AddResponseCompression(options =>
    {
        // Only marked endpoints come by it.
        options.EnableForHttps = true;
        options.MimeTypes = ["application/json", "text/csv", "text/html", "text/css", "text/javascript", "image/svg+xml"];
    });

    /// <summary>Stands before the endpoints, once it is known which one it is.</summary>
    public static void UseCompression(this IApplicationBuilder app) => app.UseWhen(
        http => http.GetEndpoint()?.Metadata.GetMetadata<Mark>() is not null, marked => marked.UseResponseCompression());
}
