using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server;

/// <summary>What features do once, when the appliance is put together and nothing is served yet; in the order in which it was
/// added.</summary>
internal static class StartActions
{
    private sealed record StartAction(Action<IServiceProvider> Do);

    /// <summary>Adds one. What it throws ends the start.</summary>
    public static IServiceCollection AtStart(this IServiceCollection services, Action<IServiceProvider> action) =>
        services.AddSingleton(new StartAction(action));

    /// <summary>Does them all.</summary>
    public static void DoStartActions(this IServiceProvider services)
    {
        foreach (StartAction action in services.GetServices<StartAction>())
        {
            action.Do(services);
        }
    }
}
