using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
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

    /// <summary>Address and port by which the client has come, as it can be written into a URL.</summary>
    public static IPEndPoint AddressOf(HttpContext context)
    {
        IPAddress address = Sources.Plain(context.Connection.LocalIpAddress);
        // What link an IPv6 address is of is each machine's own affair.
        return new IPEndPoint(address.IsIPv6LinkLocal ? new IPAddress(address.GetAddressBytes()) : address, context.Connection.LocalPort);
    }

    /// <summary>An endpoint of another door is none: two doors may have the same path, and each its own rules.</summary>
    internal sealed class DoorMatcher : MatcherPolicy, IEndpointSelectorPolicy
    {
        public override int Order => 0;

        public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
            endpoints.Any(e => e.Metadata.GetMetadata<DoorMark>() is not null);

        public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
        {
            DoorMark? came = httpContext.Features.Get<DoorMark>();
            for (int i = 0; i < candidates.Count; i++)
            {
                if (candidates.IsValidCandidate(i) && candidates[i]
                    .Endpoint.Metadata.GetMetadata<DoorMark>() is { } wanted && came != wanted)
                {
                    candidates.SetValidity(i, false);
                }
            }
            return Task.CompletedTask;
        }
    }
}
