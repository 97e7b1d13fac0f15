using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Access;

/// <summary>Where endpoints stand: on which listener, and who may use them.</summary>
internal static class Routes
{
    private const string Prefix = "/api/v1";

    /// <summary>Of the API, without signing in.</summary>
    public static RouteGroupBuilder PublicApi(this IEndpointRouteBuilder app) => app.MapGroup(Prefix).At(Listener.Web);

    /// <summary>Of the API: viewers read, operators change.</summary>
    public static RouteGroupBuilder Api(this IEndpointRouteBuilder app) => app.PublicApi().RequireSignIn(change: Role.Operator);

    /// <summary>Of the API: viewers read, administrators change.</summary>
    public static RouteGroupBuilder AdministrationApi(this IEndpointRouteBuilder app) => app.PublicApi().RequireSignIn(change: Role.Admin);

    /// <summary>Beside the API, without signing in.</summary>
    public static RouteGroupBuilder Web(this IEndpointRouteBuilder app) => app.MapGroup("").At(Listener.Web);

    /// <summary>For boards that boot: plain HTTP.</summary>
    public static RouteGroupBuilder Plain(this IEndpointRouteBuilder app) => app.MapGroup("").At(Listener.Plain);

    /// <summary>For nodes, and for those who want to become nodes.</summary>
    public static RouteGroupBuilder Link(this IEndpointRouteBuilder app) => app.MapGroup("").At(Listener.Link);
}
