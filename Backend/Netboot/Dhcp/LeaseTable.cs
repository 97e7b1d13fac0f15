using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>
/// Who has which address. Clients are known by their hardware address: every Pi 3 uses one and the same transaction id.
/// A board's reservation goes before all else; whoever else had that address keeps it until the lease ends.
/// </summary>
public sealed class LeaseTable
{
    /// <summary>
    /// How long an offered address is kept for its client. A Pi 3B never sends a DHCPREQUEST, so its offer must outlive its start, or a
    /// second board would get the same address.
    /// </summary>
    public static readonly TimeSpan OfferTime = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly ILeaseStore _store;
    private readonly TimeProvider _clock;
    private readonly Dictionary<MacAddress, Lease> _byMac = [];
    private readonly Dictionary<uint, Lease> _byAddress = [];

    public LeaseTable(ILeaseStore store, TimeProvider clock)
    {
        _store = store;
        _clock = clock;
        foreach (Lease lease in store.Load())
        {
            Put(lease);
        }
    }

    /// <summary>An address for a client: the one reserved for it, else its own, else the one it wishes, else a free one.</summary>
    /// <param name="wasHeld">It is the client's already: nobody else can have it, so there is no need to look.</param>
    /// <returns>Null if the range is used up.</returns>
    public IPAddress? Offer(MacAddress mac, IPAddress? wish, IPAddress? reserved, AddressRange range, out bool wasHeld)
    {
        lock (_lock)
        {
            Lease? own = _byMac.GetValueOrDefault(mac);
            IPAddress? address =
                reserved is not null && IsFree(AddressRange.Number(reserved), mac) ? reserved :
                own is not null && range.Contains(own.Address) ? own.Address :
                wish is not null && range.Contains(wish) && IsFree(AddressRange.Number(wish), mac) ? wish :
                FindFree(mac, range);
            wasHeld = own is not null && own.Address.Equals(address) && own.Expires > _clock.GetUtcNow();
            if (address is not null && !(wasHeld && own!.Expires > _clock.GetUtcNow() + OfferTime))
            {
                Put(new Lease(mac, address, _clock.GetUtcNow() + OfferTime));
            }
            return address;
        }
    }

    /// <summary>Gives a client the address that it asks for. False if it is another's, not of this range, or not the one reserved for
    /// it.</summary>
    public bool TryTake(MacAddress mac, IPAddress address, IPAddress? reserved, AddressRange range, TimeSpan time)
    {
        lock (_lock)
        {
            if (!(address.Equals(reserved) || range.Contains(address)) || !IsFree(AddressRange.Number(address), mac) ||
                reserved is not null && !address.Equals(reserved) && IsFree(AddressRange.Number(reserved), mac))
            {
                return false;
            }
            var lease = new Lease(mac, address, _clock.GetUtcNow() + time);
            Put(lease);
            _store.Save(lease);
            return true;
        }
    }

    /// <summary>The address that a client was last given or offered, whether or not its time is over.</summary>
    public IPAddress? Find(MacAddress mac)
    {
        lock (_lock)
        {
            return _byMac.GetValueOrDefault(mac)?.Address;
        }
    }

    /// <summary>A client gives its address back, or has chosen another server's offer. It gets the same again while nobody else needs
    /// it.</summary>
    public void Release(MacAddress mac)
    {
        lock (_lock)
        {
            if (_byMac.TryGetValue(mac, out Lease? lease))
            {
                Put(lease with { Expires = _clock.GetUtcNow() });
                _store.Remove(mac);
            }
        }
    }

    /// <summary>The address that a client was given is in use by a stranger: nobody gets it for a while.</summary>
    public void Decline(MacAddress mac, IPAddress address, TimeSpan time)
    {
        lock (_lock)
        {
            if (_byMac.TryGetValue(mac, out Lease? lease) && lease.Address.Equals(address))
            {
                _byMac.Remove(mac);
                _byAddress[AddressRange.Number(address)] = lease with { Mac = default, Expires = _clock.GetUtcNow() + time };
                _store.Remove(mac);
            }
        }
    }

    private void Put(Lease lease)
    {
        if (_byMac.TryGetValue(lease.Mac, out Lease? earlier))
        {
            _byAddress.Remove(AddressRange.Number(earlier.Address));
        }
        if (_byAddress.TryGetValue(AddressRange.Number(lease.Address), out Lease? expired))
        {
            _byMac.Remove(expired.Mac);
        }
        _byMac[lease.Mac] = lease;
        _byAddress[AddressRange.Number(lease.Address)] = lease;
    }

    private bool IsFree(uint address, MacAddress mac) =>
        !_byAddress.TryGetValue(address, out Lease? lease) || lease.Mac == mac || lease.Expires <= _clock.GetUtcNow();

    /// <summary>Starts at a place that depends on the client alone, so that a board keeps its address even where leases are lost.</summary>
    private IPAddress? FindFree(MacAddress mac, AddressRange range)
    {
        if (range.Last < range.First)
        {
            return null;
        }
        ulong count = (ulong)range.Last - range.First + 1;
        ulong start = (mac.Value * 0x9E3779B97F4A7C15 >> 20) % count;
        for (ulong i = 0; i < count; i++)
        {
            uint candidate = range.First + (uint)((start + i) % count);
            if (!range.Taken.Contains(candidate) && IsFree(candidate, mac))
            {
                return AddressRange.Address(candidate);
            }
        }
        return null;
    }
}
