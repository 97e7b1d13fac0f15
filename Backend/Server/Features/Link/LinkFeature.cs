using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Link;

/// <summary>The port of the nodes: links, and boards that ask to be admitted.</summary>
internal static class LinkFeature
{
    public static IServiceCollection AddLink(this IServiceCollection services) =>
        services.AddSingleton<LinkEndpoint>().AddSingleton<EnrolmentEndpoint>();

    public static void MapLink(this IEndpointRouteBuilder app)
    {
        EnrolmentEndpoint.Map(app.Link());
        LinkEndpoint.Map(app.Link());
        ForgetEndpoint.Map(app.Api());
    }
}
