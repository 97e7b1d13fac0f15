using Bootstrap.Server;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

public sealed class DhcpTests
{
    [Fact]
    public async Task What_is_named_is_changed_and_the_rest_stays()
    {
        await using CommandLine line = CommandLine.For(
            await TestAppliance.StartWithDhcpAsync(new DhcpSettings(DhcpMode.Off) { Reservations = ["10.9.0.20=dc:a6:32:01:36:c2"] },
                "absent0"));
        (int code, string output, string errors) = await line.RunAsync("dhcp", "set", "--pool", "10.9.0.0/24", "--lease-minutes", "60");
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("off +no +absent0 +10[.]9[.]0[.]0/24 +10[.]9[.]0[.]20=dc:a6:32:01:36:c2 +60 min", output);

        (code, _, errors) = await line.RunAsync("dhcp", "set", "--mode", "full");
        Assert.Equal(1, code);
        Assert.Contains("Nothing was changed: DHCP cannot listen on 'absent0'", errors, StringComparison.Ordinal);
        (code, output, _) = await line.RunAsync("dhcp", "show");
        Assert.Equal(0, code);
        Assert.Matches("off +no +absent0 +10[.]9[.]0[.]0/24", output);
    }
}
