using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>What can be said of DHCP's settings without opening its ports; the lab does that.</summary>
public sealed class DhcpSettingsTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("10.9.0.0/24,10.9.0.50-10.9.0.99,router=10.9.0.1", "10.9.0.20=dc:a6:32:01:36:c2", 720, null)]
    [InlineData("10.9.0.0/33", null, 720, "'10.9.0.0/33' is not SUBNET")]
    [InlineData("10.9.0.0/24,10.8.0.1-10.8.0.9", null, 720, "is not SUBNET")]
    [InlineData("10.9.0.0/24 10.9.0.0/25", null, 720, "'10.9.0.0/25' is a second pool for the same subnet")]
    [InlineData("10.9.0.0/24,router=10.9.0.0", null, 720, "'10.9.0.0/24,router=10.9.0.0' names the subnet's own address")]
    [InlineData("10.9.0.64/26,router=10.9.0.127", null, 720, "'10.9.0.64/26,router=10.9.0.127' names the subnet's own address")]
    [InlineData("10.9.0.0/31,router=10.9.0.0", null, 720, null)]
    [InlineData("10.9.0.0/24", "10.9.0.255=dc:a6:32:01:36:c2", 720, "'10.9.0.255=dc:a6:32:01:36:c2' reserves a subnet's own address")]
    [InlineData("10.9.0.0/23", "10.9.0.255=dc:a6:32:01:36:c2", 720, null)]
    [InlineData(null, "10.9.0.20=board", 720, "'10.9.0.20=board' is not ADDR=MAC|SERIAL")]
    [InlineData(null, "10.9.0.20=c0ffee01 10.9.0.20=c0ffee02", 720,
        "'10.9.0.20=c0ffee02' reserves an address that is another board's already")]
    [InlineData(null, null, 1, "A lease of 1 minutes cannot be")]
    public void What_cannot_be_is_one_sentence_that_names_it(string? pools, string? reservations, int minutes, string? fault)
    {
        string? found = new DhcpSettings(DhcpMode.Full)
        {
            Pools = pools?.Split(' ') ?? [],
            Reservations = reservations?.Split(' ')
            ?? [],
            LeaseMinutes = minutes
        }.Validate();
        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? "", found ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_command_line_has_set_is_shown_and_cannot_be_changed()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient();
        JsonNode dhcp = (await api.GetFromJsonAsync<JsonNode>("dhcp", s_end))!;
        Assert.Equal(("off", true, false), (dhcp["settings"]!["mode"]!.ToString(), (bool)dhcp["fixed"]!, (bool)dhcp["running"]!));
        using HttpResponseMessage refusal = await api.PutAsJsonAsync("dhcp", new { mode = "proxy" }, s_end);
        Assert.Equal(HttpStatusCode.Conflict, refusal.StatusCode);
        Assert.Contains("without --dhcp", await refusal.Content.ReadAsStringAsync(s_end), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_appliance_whose_settings_cannot_be_any_more_starts_and_says_why()
    {
        await using TestAppliance appliance =
            await TestAppliance.StartWithDhcpAsync(new DhcpSettings(DhcpMode.Full) { Pools = ["10.9.0.0/24"] }, "absent0");
        using HttpClient api = appliance.CreateClient();
        JsonNode dhcp = (await api.GetFromJsonAsync<JsonNode>("dhcp", s_end))!;
        Assert.Equal(("full", false, false), (dhcp["settings"]!["mode"]!.ToString(), (bool)dhcp["fixed"]!, (bool)dhcp["running"]!));
        Assert.Equal("DHCP cannot listen on 'absent0': this machine has no such network interface", dhcp["fault"]!.ToString());

        using HttpResponseMessage refusal = await api.PutAsJsonAsync("dhcp", new { mode = "proxy" }, s_end);
        Assert.Equal(HttpStatusCode.Conflict, refusal.StatusCode);
        Assert.StartsWith("Nothing was changed: DHCP cannot listen on 'absent0'",
            (await refusal.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("full", (await api.GetFromJsonAsync<JsonNode>("dhcp", s_end))!["settings"]!["mode"]!.ToString());

        dhcp = (await (await api.PutAsJsonAsync("dhcp", new { mode = "off", pools = new[] { "10.9.0.0/24" } }, s_end))
            .EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>(s_end))!;
        Assert.Equal("off", dhcp["settings"]!["mode"]!.ToString());
        Assert.Null(dhcp["fault"]);
    }

    [Theory]
    [InlineData("{\"mode\":\"loud\"}")]
    [InlineData("{\"pools\":[]}")]
    [InlineData("{\"mode\":\"full\",\"pools\":[null]}")]
    [InlineData("{\"mode\":\"full\",\"pools\":null}")]
    [InlineData("[")]
    public async Task Malformed_settings_are_refused(string body)
    {
        await using TestAppliance appliance = await TestAppliance.StartWithDhcpAsync(new DhcpSettings(DhcpMode.Off), "lo");
        using HttpClient api = appliance.CreateClient();
        using HttpResponseMessage refusal = await api.PutAsync("dhcp", new StringContent(body, null, "application/json"), s_end);
        Assert.Equal(HttpStatusCode.BadRequest, refusal.StatusCode);
    }
}
