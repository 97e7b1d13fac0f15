using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Hosting;

/// <summary>A service in the background that fails ends the appliance: half of one would be noticed too late. Which it was, and why, is
/// told in words.</summary>
public static class ServiceFailure
{
    /// <summary>Starts the appliance.</summary>
    /// <exception cref="IOException">One of its services failed meanwhile; the message names it and says why.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was, before it was ready.</exception>
    public static async Task StartAsync(WebApplication app, CancellationToken cancellation)
    {
        try
        {
            await app.StartAsync(cancellation);
        }
        // The host takes a service that fails while it starts for somebody's wish that it stop.
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested && Find(app) is { } failure)
        {
            throw new IOException(failure, e);
        }
    }

    /// <summary>Which of the appliance's services has failed, and why; null: none has.</summary>
    public static string? Find(WebApplication app) =>
        app.Services.GetServices<IHostedService>().OfType<BackgroundService>()
            .Where(service => service.ExecuteTask is { IsFaulted: true })
            .Select(service => $"{service.GetType().Name} failed: {service.ExecuteTask!.Exception!.GetBaseException().Message}")
            .FirstOrDefault();
}
