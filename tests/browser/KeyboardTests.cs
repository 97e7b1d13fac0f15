using System.Text.RegularExpressions;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Bootstrap.Browser.Tests;

/// <summary>The page without a mouse.</summary>
public sealed class KeyboardTests(PageFixture browser) : PageTest
{
    /// <summary>More than there is on any page: a test that comes so far is lost.</summary>
    private const int MostSteps = 60;

    [Fact]
    public async Task Nodes_are_filtered_selected_and_rebooted_and_a_task_is_cancelled_with_the_keyboard_alone()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await using Rack rack = await Rack.ConnectAsync(appliance, 3, Cancelled);
        // The link is what signs in: opening it takes no mouse.
        IPage page = await browser.SignInAsync(appliance);
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);

        ILocator skip = page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" });
        await TabToAsync(page, skip);
        await Expect(skip).ToBeInViewportAsync();
        await PageFixture.KeepAsync(page, "skip-link");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Main)).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("node-000002");
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(2);
        await TabToAsync(page, page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-000002" }));
        await page.Keyboard.PressAsync("Space");
        ILocator reboot = page.GetByRole(AriaRole.Button, new() { Name = "Reboot …" });
        await TabToAsync(page, reboot, back: true);
        ILocator dialog = page.GetByRole(AriaRole.Dialog);
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToContainTextAsync("Reboot node-000002?");
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(reboot).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, dialog.GetByRole(AriaRole.Button, new() { Name = "Leave them running" }));
        await page.Keyboard.PressAsync("Enter");
        await Expect(reboot).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, dialog.GetByRole(AriaRole.Button, new() { Name = "Reboot now" }));
        await page.Keyboard.PressAsync("Enter");

        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));
        await Expect(page.GetByRole(AriaRole.Main)).ToBeFocusedAsync();
        StartTask order = await rack.Nodes[1].AcceptTaskAsync(Cancelled);
        ILocator cancel = page.GetByRole(AriaRole.Button, new() { Name = "Cancel node-000002" });
        await TabToAsync(page, cancel);
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel the task" }));
        await PageFixture.KeepAsync(page, "keyboard-cancel");
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal(order.TaskId, (await rack.Nodes[1].ReceiveAsync<CancelTask>(Cancelled)).TaskId);
        await Expect(dialog).ToHaveCountAsync(0);
        // The button goes with the task's state: then the page itself has the focus, and not nothing.
        await Expect(cancel).ToHaveCountAsync(0);
        Assert.NotEqual("BODY", await page.EvaluateAsync<string>("document.activeElement.tagName"));
    }

    [Fact]
    public async Task Whoever_has_a_password_signs_in_with_the_keyboard_alone()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        IPage chooser = await browser.SignInAsync(appliance);
        await chooser.EvaluateAsync("""
            async () => await fetch("/api/v1/session/password",
                { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ password: "correct horse" }) })
            """);
        IPage page = await browser.OpenAsync();
        await page.GotoAsync(new Uri(appliance.Url, "images").ToString());
        // The field for the name has the focus from the beginning.
        await Expect(page.GetByLabel("Name")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("admin");
        await TabToAsync(page, page.GetByLabel("Password"));
        await page.Keyboard.TypeAsync("correct horse");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Images", Exact = true })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_node_is_installed_through_the_wizard_with_the_keyboard_alone()
    {
        await using TestAppliance appliance = await PageFixture.StartApplianceAsync();
        await ImportAsync(appliance, "debian-12-arm64");
        await using Rack rack = await Rack.ConnectAsync(appliance, 1, Cancelled);
        IPage page = await browser.SignInAsync(appliance);
        await TabToAsync(page, page.GetByRole(AriaRole.Checkbox, new() { Name = "Select node-000001" }));
        await page.Keyboard.PressAsync("Space");
        await TabToAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Install …" }), back: true);
        await page.Keyboard.PressAsync("Enter");
        ILocator next = page.GetByRole(AriaRole.Button, new() { Name = "Next" });
        foreach (string step in new[] { "Image", "Customisation", "Roll-out" })
        {
            await TabToAsync(page, next);
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = step, Exact = true })).ToBeFocusedAsync();
        }
        await TabToAsync(page, page.GetByRole(AriaRole.Radio, new() { Name = "All at once" }));
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.GetByRole(AriaRole.Radio, new() { Name = "Canary" })).ToBeCheckedAsync();
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, page.GetByRole(AriaRole.Textbox, new() { Name = "Type 1 to confirm" }));
        await page.Keyboard.TypeAsync("1");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex("/jobs/"));
        Assert.IsType<InstallOrder>((await rack.Nodes[0].AcceptTaskAsync(Cancelled)).Order);
    }

    /// <summary>Goes on with Tab until this has the focus; on the way, whatever has it can be seen to.</summary>
    private static async Task TabToAsync(IPage page, ILocator wanted, bool back = false)
    {
        await Expect(wanted).ToBeAttachedAsync();
        for (int i = 0; i < MostSteps; i++)
        {
            if (await wanted.EvaluateAsync<bool>("wanted => wanted === document.activeElement"))
            {
                return;
            }
            await page.Keyboard.PressAsync(back ? "Shift+Tab" : "Tab");
            string unseen = await page.EvaluateAsync<string>("""
                () => {
                    const { activeElement: at } = document;
                    const seen = at === document.body || at.matches("main, h2") ||
                        [at, at.closest("label")].some((e) => e && getComputedStyle(e).outlineStyle !== "none");
                    return seen ? "" : at.outerHTML.slice(0, 200);
                }
                """);
            Assert.True(unseen.Length == 0, "the focus cannot be seen on " + unseen);
        }
        Assert.Fail($"Tab does not come to {wanted}");
    }
}
