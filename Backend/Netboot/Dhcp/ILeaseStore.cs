using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>An address that is a client's until a time.</summary>
public sealed record Lease(MacAddress Mac, IPAddress Address, DateTimeOffset Expires);

/// <summary>Keeps leases over a restart. Called by one thread at a time, before the client is told.</summary>
public interface ILeaseStore
{
    /// <summary>All leases that were kept, expired ones too: a client that returns gets its old address.</summary>
    IReadOnlyList<Lease> Load();

    /// <summary>Keeps a lease in place of the client's earlier one.</summary>
    void Save(Lease lease);

    /// <summary>Forgets a client's lease.</summary>
    void Remove(MacAddress mac);
}

/// <summary>Leases for as long as the program runs.</summary>
public sealed class MemoryLeaseStore : ILeaseStore
{
    public IReadOnlyList<Lease> Load() => [];

    public void Save(Lease lease)
    {
    }

    public void Remove(MacAddress mac)
    {
    }
}
