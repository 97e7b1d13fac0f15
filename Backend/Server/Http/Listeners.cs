using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bootstrap.Server.Http;

/// <summary>The ports that the appliance listens on. Each endpoint belongs to one; what a request calls itself (its Host) has no say in
/// that.</summary>
public enum Listener
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
    private sealed record ListenerMark(Listener Listener);

    /// <summary>Marks connections of this listener.</summary>
    public static void Is(this ListenOptions options, Listener listener)
    {
        var mark = new ListenerMark(listener);
        options.Use(next => connection =>
        {
            connection.Features.Set(mark);
            return next(connection);
        });
    }

    /// <summary>Serves an endpoint, or a group of them, on one listener alone.</summary>
    public static TBuilder At<TBuilder>(this TBuilder builder, Listener listener)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ListenerMark(listener));

    /// <summary>True if the request came by this listener.</summary>
    public static bool CameBy(HttpContext context, Listener listener) =>
        context.Features.Get<ListenerMark>()?.Listener == listener;

    /// <summary>Address and port by which the client has come, as it can be written into a URL.</summary>
    public static IPEndPoint AddressOf(HttpContext context)
    {
        IPAddress address = Sources.Plain(context.Connection.LocalIpAddress);
        // What link an IPv6 address is of is each machine's own affair.
        return new IPEndPoint(address.IsIPv6LinkLocal ? new IPAddress(address.GetAddressBytes()) : address, context.Connection.LocalPort);
    }

    /// <summary>An endpoint of another listener is none: two listeners may have the same path, and each its own rules.</summary>
    internal sealed class ListenerMatcher : MatcherPolicy, IEndpointSelectorPolicy
    {
        public override int Order => 0;

        public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
            endpoints.Any(e => e.Metadata.GetMetadata<ListenerMark>() is not null);

        public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
        {
            ListenerMark? came = httpContext.Features.Get<ListenerMark>();
            for (int i = 0; i < candidates.Count; i++)
            {
                if (candidates.IsValidCandidate(i) && candidates[i]
                    .Endpoint.Metadata.GetMetadata<ListenerMark>() is { } wanted && came != wanted)
                {
                    candidates.SetValidity(i, false);
                }
            }
            return Task.CompletedTask;
        }
    }
}
