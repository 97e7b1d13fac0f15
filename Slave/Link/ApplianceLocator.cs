using System.Runtime.CompilerServices;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Link;

/// <summary>
/// Gives the places where the appliance may be, likeliest first: where it was last, who answers discovery, what was
/// configured. Whether one is the appliance, TLS decides.
/// </summary>
/// <param name="mesh">Discovery mesh of the node.</param>
/// <param name="configured">Addresses to try beside discovery; asked anew each time. Text that is no address is skipped.</param>
/// <param name="clock">Measures discovery's window.</param>
public sealed class ApplianceLocator(string mesh, Func<IEnumerable<string>> configured, TimeProvider clock)
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(1);

    private readonly Marco _marco = new(mesh, interfaceNames: null, clock);
    private ApplianceEndpoint? _last;

    /// <summary>Each candidate once. Taking no more of them ends the search.</summary>
    public async IAsyncEnumerable<ApplianceEndpoint> FindAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var seen = new HashSet<ApplianceEndpoint>();
        if (_last is { } last && seen.Add(last))
        {
            yield return last;
        }
        await foreach (Found found in _marco.AskAsync(Service.Backend, s_window, cancellation).ConfigureAwait(false))
        {
            foreach (Service service in found.Services.Where(s => s.Id == Service.Backend))
            {
                var endpoint = new ApplianceEndpoint(found.Address, ApplianceEndpoint.PortOf(service.Parameters, "link"));
                if (seen.Add(endpoint))
                {
                    yield return endpoint;
                }
            }
        }
        foreach (string text in configured())
        {
            if (ApplianceEndpoint.TryParse(text, out ApplianceEndpoint endpoint) && seen.Add(endpoint))
            {
                yield return endpoint;
            }
        }
    }

    /// <summary>Remembers who proved to be the appliance: it is tried first from now on.</summary>
    public void Remember(ApplianceEndpoint endpoint) => _last = endpoint;
}
