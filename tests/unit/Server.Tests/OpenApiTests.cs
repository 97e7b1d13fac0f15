using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class OpenApiTests : ApplianceTest
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_has_every_path_of_the_API_and_what_an_order_takes()
    {
        JsonNode document = (await Api.GetFromJsonAsync<JsonNode>("openapi.json", s_end))!;
        Assert.StartsWith("3.", document["openapi"]!.ToString(), StringComparison.Ordinal);
        string[] described = [.. document["paths"]!.AsObject().Select(path => path.Key)];
        // {id:guid} is {id} there; neither what is for no path at all nor the document itself is in it.
        string[] wanted = [.. Appliance.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => Regex.Replace("/" + endpoint.RoutePattern.RawText!.TrimStart('/'), ":[a-z]+}", "}"))
            .Where(path => path.StartsWith("/api/v1/", StringComparison.Ordinal) && !path.Contains("**", StringComparison.Ordinal)
                && path != "/api/v1/openapi.json")];
        Assert.Equal(wanted.Distinct().Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));

        JsonNode schemas = document["components"]!["schemas"]!;
        Assert.Equal("kind", schemas["NewJob"]!["required"]!.AsArray().Single()!.ToString());
        Assert.Equal("Ids or names; `[\"all\"]` for every node.", schemas["NewJob"]!["properties"]!["nodes"]!["description"]!.ToString());
        Assert.Equal("string", schemas["NodeId"]!["type"]!.ToString());
    }

    [Fact]
    public async Task Only_who_has_signed_in_gets_it()
    {
        using HttpClient client = Appliance.CreateClient();
        client.DefaultRequestHeaders.Authorization = null;
        using HttpResponseMessage answer = await client.GetAsync("openapi.json", s_end);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }
}
