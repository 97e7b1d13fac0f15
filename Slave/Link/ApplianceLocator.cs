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
    /// <summary>One appliance is expected. Whoever calls asks again after a while.</summary>
    private readonly Search _search = new()
    {
        Meshes = [mesh],
        Filter = new NodeFilter(Service.Backend),
        Expected = 1,
        Retries = 3,
        Timeout = TimeSpan.FromSeconds(1),
    };

    private readonly Marco _marco = new(interfaceNames: null, clock);
    private ApplianceEndpoint? _last;

    /// <summary>Each candidate once. Taking no more of them ends the search.</summary>
    public async IAsyncEnumerable<ApplianceEndpoint> FindAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var seen = new HashSet<ApplianceEndpoint>();
        if (_last is { } last && seen.Add(last))
        {
            yield return last;
        }
        await foreach (Found found in _marco.FindAsync(_search, cancellation).ConfigureAwait(false))
        {
            foreach (Service service in found.Node.Services.Where(s => s.Id == Service.Backend))
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
