using System.Collections.Concurrent;

namespace Bootstrap.Server.Features.Events;

/// <summary>Counts what came from the network and made no sense. It was dropped; that it came may be worth a look.</summary>
public sealed class NoiseCounter
{
    private readonly ConcurrentDictionary<string, long> _counts = new();

    /// <summary>One more.</summary>
    /// <param name="protocol">A fixed word of ours, never the network's: "DHCP", "TFTP", "discovery", "link" or "enrolment".</param>
    public void Count(string protocol) => _counts.AddOrUpdate(protocol, 1, (_, count) => count + 1);

    /// <summary>How often, by protocol; since the appliance was started.</summary>
    public IReadOnlyDictionary<string, long> Counts => new SortedDictionary<string, long>(_counts);
}
