using System.Buffers.Binary;
using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>The addresses of one subnet that may be handed out.</summary>
/// <param name="First">First address, as a number.</param>
/// <param name="Last">Last address, inclusive.</param>
/// <param name="Reserved">Addresses in between that are taken by others.</param>
public sealed record AddressRange(uint First, uint Last, IReadOnlySet<uint> Reserved)
{
    /// <summary>The range of an interface: the one that was set, else its whole subnet, without its own address and the router's.</summary>
    public static AddressRange Of(IPAddress own, int prefixLength, AddressPlan plan)
    {
        uint mask = prefixLength == 0 ? 0 : uint.MaxValue << (32 - prefixLength);
        uint network = Number(own) & mask;
        (uint first, uint last) = plan.Range is { } range ? (Number(range.First), Number(range.Last)) : (network + 1, (network | ~mask) - 1);
        var reserved = new HashSet<uint> { Number(own) };
        if (plan.Router is { } router)
        {
            reserved.Add(Number(router));
        }
        return new AddressRange(Math.Max(first, network + 1), Math.Min(last, (network | ~mask) - 1), reserved);
    }

    /// <summary>True for an address that may be handed out.</summary>
    public bool Contains(IPAddress address) => Number(address) is var n && n >= First && n <= Last && !Reserved.Contains(n);

    internal static uint Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    internal static IPAddress Address(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}

/// <summary>Who has which address. Clients are known by their hardware address: every Pi 3 uses one and the same transaction id.</summary>
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

    /// <summary>An address for a client: its own, else the one it wishes, else a free one. Null if the range is used up.</summary>
    public IPAddress? Offer(MacAddress mac, IPAddress? wish, AddressRange range)
    {
        lock (_lock)
        {
            IPAddress? address =
                _byMac.TryGetValue(mac, out Lease? own) && range.Contains(own.Address) ? own.Address :
                wish is not null && range.Contains(wish) && IsFree(AddressRange.Number(wish), mac) ? wish :
                FindFree(mac, range);
            if (address is not null && !(own is not null && own.Address.Equals(address) && own.Expires > _clock.GetUtcNow() + OfferTime))
            {
                Put(new Lease(mac, address, _clock.GetUtcNow() + OfferTime));
            }
            return address;
        }
    }

    /// <summary>Gives a client the address that it asks for. False if it is another's or not of this range.</summary>
    public bool TryTake(MacAddress mac, IPAddress address, AddressRange range, TimeSpan time)
    {
        lock (_lock)
        {
            if (!range.Contains(address) || !IsFree(AddressRange.Number(address), mac))
            {
                return false;
            }
            var lease = new Lease(mac, address, _clock.GetUtcNow() + time);
            Put(lease);
            _store.Save(lease);
            return true;
        }
    }

    /// <summary>A client gives its address back, or has chosen another server's offer. It gets the same again while nobody else needs it.</summary>
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

    /// <summary>A client found the address it was given in use by a stranger: nobody gets it for a while.</summary>
    public void Decline(MacAddress mac, TimeSpan time)
    {
        lock (_lock)
        {
            if (_byMac.Remove(mac, out Lease? lease))
            {
                _byAddress[AddressRange.Number(lease.Address)] = lease with { Mac = default, Expires = _clock.GetUtcNow() + time };
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
            if (!range.Reserved.Contains(candidate) && IsFree(candidate, mac))
            {
                return AddressRange.Address(candidate);
            }
        }
        return null;
    }
}
