using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Bootstrap.Server.Features.Description;

/// <summary><c>/openapi.json</c>: what the API takes and gives, made from its own types and their comments (OpenAPI 3.1).</summary>
internal static class ApiDescription
{
    /// <summary>Types of our own that are texts in JSON.</summary>
    private static readonly HashSet<Type> s_texts = [typeof(NodeId), typeof(Digest), typeof(MacAddress)];

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.ShouldInclude = endpoint => endpoint.RelativePath?.StartsWith("api/v1/", StringComparison.Ordinal) == true;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Bootstrap",
                Version = "v1",
                Description = "A token as `Authorization: Bearer …`: `bootstrap login` says where it comes from."
            };
            // Where the reader has it from is where the API is.
            document.Servers = [];
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            if (s_texts.Contains(context.JsonTypeInfo.Type))
            {
                schema.Type = JsonSchemaType.String;
            }
            return Task.CompletedTask;
        });
    });

    public static void MapApiDescription(this IEndpointRouteBuilder app)
    {
        app.Api().MapOpenApi("/openapi.json");
        // What is not part of the API is not the page either: programs get an error that they understand.
        app.PublicApi().MapGet("/{**path}", [ExcludeFromDescription] (string path) =>
            Problems.NotFound($"There is no '{path}' in this API."));
    }
}
