using System.Buffers.Binary;
using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>The addresses of one subnet that may be handed out, as numbers.</summary>
/// <param name="First">First address.</param>
/// <param name="Last">Last address, inclusive; below the first in an empty range.</param>
/// <param name="Taken">Addresses in between that are the server's, the router's, or reserved.</param>
public sealed record AddressRange(uint First, uint Last, IReadOnlySet<uint> Taken)
{
    // A larger subnet is not used up by boards, but could be by an attacker, and each lease costs memory.
    private const uint Most = 65_536;

    /// <summary>The range of a pool.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="taken">Addresses that are the server's own, or kept for others.</param>
    public static AddressRange Of(AddressPool pool, params IEnumerable<IPAddress> taken)
    {
        uint network = Number(pool.Subnet.BaseAddress), last = network | ~Mask(pool.Subnet.PrefixLength);
        var given = new HashSet<uint>(taken.Select(Number));
        if (pool.Router is { } router)
        {
            given.Add(Number(router));
        }
        // The first address is the subnet's own, the last its broadcast.
        uint from = Math.Max(pool.First is { } first ? Number(first) : 0, network + 1);
        uint to = Math.Min(pool.Last is { } end ? Number(end) : uint.MaxValue, last - 1);
        return new AddressRange(from, Math.Min(to, from + (Most - 1)), given);
    }

    /// <summary>True for an address that may be handed out.</summary>
    public bool Contains(IPAddress address) => Number(address) is var n && n >= First && n <= Last && !Taken.Contains(n);

    internal static uint Mask(int prefixLength) => prefixLength == 0 ? 0 : uint.MaxValue << (32 - prefixLength);

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
