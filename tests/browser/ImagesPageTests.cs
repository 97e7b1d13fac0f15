using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The images.</summary>
public sealed class ImagesPageTests(PageFixture browser) : PageTest
{
    [Fact]
    public async Task A_refused_image_says_why_and_is_not_listed()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage page = await browser.SignInAsync(appliance);
        await page.GetByRole(AriaRole.Link, new() { Name = "Images" }).ClickAsync();

        // More than fits into a connection's window: the refusal comes while the rest is still being sent.
        await page.GetByLabel("Image file").SetInputFilesAsync(new FilePayload { Name = "holiday.jpg", MimeType = "image/jpeg", Buffer = new byte[2_000_000] });
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("not an image that is known");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No images yet" })).ToBeVisibleAsync();
        await PageFixture.KeepAsync(page, "image-refused");

        await page.GetByLabel("Image file").SetInputFilesAsync(new FilePayload { Name = "tiny.img", MimeType = "application/octet-stream", Buffer = TinyImage.Create() });
        await page.GetByLabel("Architecture").SelectOptionAsync("arm64");
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Images" })).ToContainTextAsync("tiny");
        await PageFixture.KeepAsync(page, "images");
    }
}
