using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bootstrap.Server.Http;

internal static class HttpFeature
{
    /// <summary>What every request and answer has in common.</summary>
    public static IServiceCollection AddHttp(this IServiceCollection services) => services
        .ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions))
        .AddProblemDetails().AddExceptionHandler<BadRequests>()
        .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true)
        .AddSingleton<IConnectionListenerFactory>(s => ConnectionBudget.Over(new SocketTransportFactory(
            s.GetRequiredService<IOptions<SocketTransportOptions>>(), s.GetRequiredService<ILoggerFactory>())))
        .AddSingleton<MatcherPolicy, Listeners.ListenerMatcher>()
        .AddCompression();
}
