using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Boot.Dhcp;

/// <summary>Keeps DHCP leases in the appliance's database.</summary>
internal sealed class LeaseStore(Database database) : ILeaseStore
{
    public IReadOnlyList<Lease> Load() => database.Read(c =>
        c.Query<(string Mac, string Address, long Expires)>("SELECT mac, address, expires_at FROM leases").Select(Read).OfType<Lease>().ToList());

    public void Save(Lease lease) => database.Write(c => c.Execute("""
        INSERT INTO leases (mac, address, expires_at) VALUES (@mac, @address, @expires)
        ON CONFLICT (mac) DO UPDATE SET address = excluded.address, expires_at = excluded.expires_at
        """, new { mac = lease.Mac.ToString(), address = lease.Address.ToString(), expires = lease.Expires.ToUnixTimeMilliseconds() }));

    public void Remove(MacAddress mac) =>
        database.Write(c => c.Execute("DELETE FROM leases WHERE mac = @mac", new { mac = mac.ToString() }));

    private static Lease? Read((string Mac, string Address, long Expires) row) =>
        MacAddress.TryParse(row.Mac, out MacAddress mac) && IPAddress.TryParse(row.Address, out IPAddress? address)
            ? new Lease(mac, address, DateTimeOffset.FromUnixTimeMilliseconds(row.Expires))
            : null;
}
