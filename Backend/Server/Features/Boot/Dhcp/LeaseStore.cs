using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Boot.Dhcp;

/// <summary>Keeps DHCP leases in the appliance's database. What a disk that does not work cannot take is kept with the next one.</summary>
internal sealed class LeaseStore(Database database, DataDisk disk) : ILeaseStore
{
    private readonly Lock _lock = new();

    /// <summary>What is yet to be written; null: the board has none any more.</summary>
    private readonly Dictionary<MacAddress, Lease?> _unwritten = [];

    public IReadOnlyList<Lease> Load() => database.Read(c =>
        c.Query<(string Mac, string Address, long Expires)>("SELECT mac, address, expires_at FROM leases").Select(Read).OfType<Lease>()
            .ToList());

    public void Save(Lease lease) => Write(lease.Mac, lease);

    public void Remove(MacAddress mac) => Write(mac, null);

    private void Write(MacAddress mac, Lease? lease)
    {
        lock (_lock)
        {
            _unwritten[mac] = lease;
            if (disk.Try(() => database.Write(Write)))
            {
                _unwritten.Clear();
            }
        }
    }

    private void Write(SqliteConnection c)
    {
        foreach ((MacAddress mac, Lease? lease) in _unwritten)
        {
            if (lease is null)
            {
                c.Execute("DELETE FROM leases WHERE mac = @mac", new { mac = mac.ToString() });
            }
            else
            {
                Insert(c, lease);
            }
        }
    }

    private static void Insert(SqliteConnection c, Lease lease) => c.Execute("""
        INSERT INTO leases (mac, address, expires_at) VALUES (@mac, @address, @expires)
        ON CONFLICT (mac) DO UPDATE SET address = excluded.address, expires_at = excluded.expires_at
        """, new { mac = lease.Mac.ToString(), address = lease.Address.ToString(), expires = lease.Expires.ToUnixTimeMilliseconds() });

    private static Lease? Read((string Mac, string Address, long Expires) row) =>
        MacAddress.TryParse(row.Mac, out MacAddress mac) && IPAddress.TryParse(row.Address, out IPAddress? address)
            ? new Lease(mac, address, DateTimeOffset.FromUnixTimeMilliseconds(row.Expires))
            : null;
}
