using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

[assembly: AssemblyFixture(typeof(Bootstrap.Browser.Tests.PageFixture))]

namespace Bootstrap.Browser.Tests;

/// <summary>A test of the page in a real browser, against a whole appliance with simulated boards.</summary>
public abstract class PageTest : IAsyncDisposable
{
    private readonly string _test = TestContext.Current.Test!.UniqueID;

    private protected const long ImageBytes = 1_300_000_000;

    private protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await PageFixture.CloseAsync(_test);
        GC.SuppressFinalize(this);
    }

    /// <summary>Copies of a node in all the states that there are.</summary>
    private protected static JsonArray Herd(JsonNode one, int count) => new([.. Enumerable.Range(0, count).Select(i =>
    {
        JsonNode copy = one.DeepClone();
        copy["id"] = $"herd-{i:0000}";
        copy["name"] = $"rack-{i:000}";
        copy["address"] = $"10.0.{i / 250}.{i % 250 + 2}";
        copy["link"] = (i % 4) switch { 0 => "offline", 1 => "net-inst", _ => "slave" };
        copy["lifecycle"] = (i % 4) switch { 0 => "unbootable", 1 => "installing", 2 => "installed", _ => "new" };
        if (i % 4 == 1)
        {
            copy["task"] = new JsonObject
            {
                ["id"] = Guid.NewGuid().ToString(),
                ["jobId"] = Guid.NewGuid().ToString(),
                ["kind"] = "install",
                ["state"] = "running",
                ["phase"] = "writing",
                ["done"] = i,
                ["total"] = count,
                ["unit"] = "bytes",
                ["rate"] = 31e6,
                ["fraction"] = 0.07 + (0.63 * i / count),
            };
        }
        return copy;
    })]);

    private protected static async Task ImportAsync(TestAppliance appliance, string name, int seed = 1)
    {
        using HttpClient client = appliance.CreateClient();
        using var content = new ByteArrayContent(TinyImage.Create(seed: name.Length * 100 + seed));
        using HttpResponseMessage response = await client.PostAsync($"images?name={name}&architecture=arm64", content, Cancelled);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancelled));
    }

    /// <summary>Installs one node through the wizard, as it comes.</summary>
    private protected static async Task InstallAsync(IPage page, string name)
    {
        await page.GetByRole(AriaRole.Checkbox, new() { Name = $"Select {name}" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install …" }).ClickAsync();
        foreach (string step in new[] { "Image", "Customisation", "Roll-out", "Confirmation" })
        {
            await NextAsync(page, step);
        }
        await ConfirmAsync(page, 1);
    }

    /// <summary>Goes on to the wizard's next step.</summary>
    private protected static async Task NextAsync(IPage page, string title)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Next" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = title, Exact = true })).ToBeFocusedAsync();
    }

    /// <summary>Types how many nodes there are, and orders.</summary>
    private protected static async Task ConfirmAsync(IPage page, int nodes)
    {
        await page.GetByRole(AriaRole.Textbox, new() { Name = $"Type {nodes} to confirm" }).FillAsync($"{nodes}");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^(Erase and install|Update) [0-9]") }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));
    }
}
