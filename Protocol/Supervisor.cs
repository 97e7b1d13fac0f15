namespace Bootstrap.Protocol;

/// <summary>Part of a program that works in the background.</summary>
/// <param name="Name">As the log tells it.</param>
/// <param name="RunAsync">Runs until it is cancelled; one that has nothing more to do may return.</param>
public readonly record struct Component(string Name, Func<CancellationToken, Task> RunAsync);

/// <summary>A component failed, which ended those beside it.</summary>
public sealed class ComponentException(string name, Exception reason) : IOException($"{name} failed: {reason.Message}", reason);

/// <summary>
/// Runs what only makes sense together. The first component that fails ends all, at once and with its reason: a program of which one part
/// has died unnoticed is worse than one that ends and is started again.
/// </summary>
public static class Supervisor
{
    /// <summary>Runs components until all have ended.</summary>
    /// <exception cref="ComponentException">One failed; the others were cancelled and have ended.</exception>
    public static async Task RunAsync(CancellationToken cancellation, params IReadOnlyList<Component> components)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ComponentException? first = null;
        await Task.WhenAll(components.Select(SuperviseAsync)).ConfigureAwait(false);
        if (first is not null)
        {
            throw first;
        }

        async Task SuperviseAsync(Component component)
        {
            try
            {
                await component.RunAsync(stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // As it should.
            }
            catch (Exception e)
            {
                // Whatever it is: it is thrown again once the others have ended.
                Interlocked.CompareExchange(ref first, new ComponentException(component.Name, e), null);
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }
    }
}
