using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bootstrap.Server;

/// <summary>The appliance's doors. Each endpoint belongs to one; what a request calls itself (its Host) has no say in that.</summary>
public enum Door
{
    /// <summary>HTTPS for people and programs.</summary>
    Web,

    /// <summary>Plain HTTP for boards that boot: immutable, verified by digest.</summary>
    Plain,

    /// <summary>TLS with client certificates for nodes.</summary>
    Link,
}

internal static class Listeners
{
    private sealed record DoorMark(Door Door);

    /// <summary>Marks connections of this listener.</summary>
    public static void Is(this ListenOptions listener, Door door)
    {
        var mark = new DoorMark(door);
        listener.Use(next => connection =>
        {
            connection.Features.Set(mark);
            return next(connection);
        });
    }

    /// <summary>Serves an endpoint, or a group of them, at one door alone.</summary>
    public static TBuilder At<TBuilder>(this TBuilder builder, Door door)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new DoorMark(door));

    /// <summary>True if the request came by this door.</summary>
    public static bool CameBy(HttpContext context, Door door) => context.Features.Get<DoorMark>()?.Door == door;

    /// <summary>Answers 404 where a request came by another door than its endpoint's.</summary>
    public static void UseDoors(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        DoorMark? wanted = context.GetEndpoint()?.Metadata.GetMetadata<DoorMark>();
        if (wanted is not null && context.Features.Get<DoorMark>() != wanted)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        return next(context);
    });
}
