using Microsoft.Playwright;

namespace Bootstrap.Lab.Tests;

/// <summary>A real browser on the rack's switch that trusts the appliance's CA, as one in which a person has installed it.</summary>
internal sealed class RackBrowser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private RackBrowser(IPlaywright playwright, IBrowser browser, IPage page) =>
        (_playwright, _browser, Page) = (playwright, browser, page);

    public IPage Page { get; }

    /// <summary>Starts it, signed in.</summary>
    public static async Task<RackBrowser> StartAsync(Lab lab)
    {
        string home = Directory.CreateDirectory(Path.Combine(lab.Folder, "home")).FullName;
        string trusted = Directory.CreateDirectory(Path.Combine(home, ".pki", "nssdb")).FullName;
        string authority = Path.Combine(lab.Folder, "data", "ca", "ca.pem"), program = Path.Combine(lab.Folder, "browser");
        await Tool.RunAsync("certutil", "-N", "-d", $"sql:{trusted}", "--empty-password");
        await Tool.RunAsync("certutil", "-A", "-d", $"sql:{trusted}", "-t", "C,,", "-n", "appliance", "-i", authority);
        await File.WriteAllTextAsync(program, $"""
            #!/bin/sh
            export HOME={home}
            exec {string.Join(' ', lab.Rack.OnTheSwitch)} /usr/bin/chromium "$@"
            """, lab.Cancel);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assertions.SetDefaultExpectTimeout(120_000);
        IPlaywright playwright = await Playwright.CreateAsync();
        IBrowser browser =
            await playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox", "--disable-gpu"] });
        IPage page = await browser.NewPageAsync();
        await page.GotoAsync($"https://{VirtualRack.Address}:8443/{lab.Appliance.SignIn}");
        await Assertions.Expect(page.GetByRole(AriaRole.Navigation)).ToBeVisibleAsync();
        return new RackBrowser(playwright, browser, page);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
