using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

public sealed class AddressPlanTests
{
    [Fact]
    public void A_pool_is_read_as_it_is_written_on_the_command_line()
    {
        Assert.True(AddressPool.TryParse("10.9.0.0/24,10.9.0.50-10.9.0.99,router=10.9.0.1", out AddressPool? pool));
        Assert.Equal(new AddressPool(IPNetwork.Parse("10.9.0.0/24"), IPAddress.Parse("10.9.0.50"), IPAddress.Parse("10.9.0.99"),
            IPAddress.Parse("10.9.0.1")), pool);
        Assert.True(AddressPool.TryParse("10.9.0.0/24", out pool));
        Assert.Equal(new AddressPool(IPNetwork.Parse("10.9.0.0/24")), pool);
        Assert.True(AddressPool.TryParse("10.9.0.0/24,relay", out pool));
        Assert.Equal(new AddressPool(IPNetwork.Parse("10.9.0.0/24"), IsRelayed: true), pool);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("10.77.0.0/24", null)]
    [InlineData("10.78.0.0/24", null)] // the alias'
    [InlineData("10.77.0.0/16", null)] // wider than the interface's mask
    [InlineData("10.87.0.0/24", "10.87.0.0/24")]
    [InlineData("10.77.0.128/25", "10.77.0.128/25")] // whoever got one of these could not reach the server
    [InlineData("10.77.0.0/24 10.87.0.0/24", "10.87.0.0/24")] // the alias' mistyped
    [InlineData("10.77.0.0/24 10.87.0.0/24,relay", null)]
    [InlineData("10.77.0.0/24 10.78.0.0/24 10.87.0.0/24", null)] // all here have theirs: it can only be a relay's
    [InlineData("10.87.0.0/24,relay", null)]
    public void A_pool_that_can_be_nobody_s_is_found(string pools, string? stray)
    {
        DhcpInterface at = new("rack0", IPAddress.Parse("10.77.0.1"), 24) { Aliases = [new("rack0", IPAddress.Parse("10.78.0.1"), 24)] };
        var plan = new AddressPlan
        {
            Pools = [.. pools.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(text => AddressPool.TryParse(text, out AddressPool? pool) ? pool : throw new FormatException(text))],
        };
        Assert.Equal(stray, plan.FindStray([at])?.Subnet.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.9.0.0/33")]
    [InlineData("fd00::/64")]
    [InlineData("10.9.0.0/24,10.9.0.99-10.9.0.50")]
    [InlineData("10.9.0.0/24,10.9.1.50-10.9.1.99")] // another subnet's
    [InlineData("10.9.0.0/24,router=10.8.0.1")]
    [InlineData("10.9.0.0/24,anything")]
    public void What_is_no_pool_is_refused(string text) => Assert.False(AddressPool.TryParse(text, out _));

    [Theory]
    [InlineData("10.77.0.20=dc:a6:32:01:36:c2", 0xdca6320136c2ul, null)]
    [InlineData("10.77.0.20=c0ffee01", null, 0xc0ffee01u)]
    [InlineData("10.77.0.20=10000000c0ffee01", null, 0xc0ffee01u)]
    public void A_reservation_names_a_board_by_MAC_or_serial(string text, ulong? mac, uint? serial)
    {
        Assert.True(Reservation.TryParse(text, out Reservation? read));
        Assert.Equal(new Reservation(IPAddress.Parse("10.77.0.20"), mac is { } value ? new MacAddress(value) : null, serial), read);
    }

    [Theory]
    [InlineData("10.77.0.20")]
    [InlineData("10.77.0.20=board")]
    [InlineData("nowhere=c0ffee01")]
    [InlineData("10.77.0.20=c0ffee01=1")]
    public void What_is_no_reservation_is_refused(string text) => Assert.False(Reservation.TryParse(text, out _));

    [Fact]
    public void A_range_leaves_out_the_subnet_s_own_address_its_broadcast_what_is_taken_and_the_router()
    {
        var range = AddressRange.Of(new AddressPool(IPNetwork.Parse("10.77.0.0/29"), Router: IPAddress.Parse("10.77.0.6")),
            IPAddress.Parse("10.77.0.1"), IPAddress.Parse("10.77.0.3"));
        Assert.Equal([2, 4, 5], [.. Enumerable.Range(0, 8).Where(i => range.Contains(new IPAddress([10, 77, 0, (byte)i])))]);
    }

    [Fact]
    public void A_huge_subnet_is_not_a_huge_table()
    {
        var range = AddressRange.Of(new AddressPool(IPNetwork.Parse("10.0.0.0/8")), IPAddress.Parse("10.0.0.1"));
        Assert.Equal(65_536u, range.Last - range.First + 1);
    }
}
