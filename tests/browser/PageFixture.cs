using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Bootstrap.Support;
using Microsoft.Playwright;

namespace Bootstrap.Browser.Tests;

/// <summary>One browser for all tests, and the folder of the built page.</summary>
public sealed class PageFixture : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";

    /// <summary>Windows of the tests that run, by the test: each holds processes of its own.</summary>
    private static readonly ConcurrentDictionary<string, ConcurrentBag<IBrowserContext>> s_open = new();

    /// <summary>What pages threw, by the test.</summary>
    private static readonly ConcurrentDictionary<string, ConcurrentBag<string>> s_thrown = new();

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../.."));

    private static string Axe { get; } = Path.Combine(Root, "web", "node_modules", "axe-core", "axe.min.js");

    public static string BuiltPage => new[] { "web/dist", "build/appliance/share/web" }.Select(f => Path.Combine(Root, f))
        .FirstOrDefault(f => File.Exists(Path.Combine(f, "index.html"))) ?? throw new InvalidOperationException(
            "the web page is not built: run `make page`, or `npm ci && npm run build` in web");

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Chromium))
        {
            throw new InvalidOperationException($"there is no {Chromium}: install the package chromium");
        }
        // Generous: a machine may have other work; nothing here is measured.
        Assertions.SetDefaultExpectTimeout(30_000);
        _playwright = await Playwright.CreateAsync();
        // Without a sandbox: tests run as root in containers, and visit our own page alone.
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    /// <summary>An appliance with the page.</summary>
    public static Task<TestAppliance> StartApplianceAsync() => TestAppliance.StartAsync(BuiltPage);

    /// <summary>A browser window that is signed in and shows the nodes.</summary>
    public async Task<IPage> SignInAsync(TestAppliance appliance, BrowserNewContextOptions? options = null)
    {
        IPage page = await OpenAsync(options);
        await page.GotoAsync(appliance.SignInLink().ToString());
        await Assertions.Expect(page.GetByRole(AriaRole.Navigation)).ToBeVisibleAsync();
        return page;
    }

    /// <summary>A browser window of its own: no cookies, nothing remembered. What it throws fails the test.</summary>
    public async Task<IPage> OpenAsync(BrowserNewContextOptions? options = null)
    {
        options ??= new BrowserNewContextOptions { ViewportSize = new() { Width = 1360, Height = 850 } };
        options.IgnoreHTTPSErrors = true;
        options.ReducedMotion = ReducedMotion.Reduce;
        IBrowserContext context = await _browser!.NewContextAsync(options);
        string test = TestContext.Current.Test!.UniqueID;
        s_open.GetOrAdd(test, _ => []).Add(context);
        IPage page = await context.NewPageAsync();
        // Kept, not thrown: an exception here would end the connection to the browser, and with it every other test.
        page.PageError += (_, error) => s_thrown.GetOrAdd(test, _ => []).Add(error);
        return page;
    }

    /// <summary>Closes the windows of a test that has ended, and fails it where its pages threw.</summary>
    public static async Task CloseAsync(string test)
    {
        if (s_open.TryRemove(test, out ConcurrentBag<IBrowserContext>? contexts))
        {
            foreach (IBrowserContext context in contexts)
            {
                await context.CloseAsync();
            }
        }
        Assert.False(s_thrown.TryRemove(test, out ConcurrentBag<string>? thrown), $"the page threw: {string.Join('\n', thrown ?? [])}");
    }

    /// <summary>Keeps a picture of the page under build/screenshots, and lets axe-core look for what keeps people with a keyboard or a
    /// screen reader out.</summary>
    public static async Task KeepAsync(IPage page, string name, bool whole = false)
    {
        await page.ScreenshotAsync(new() { Path = Path.Combine(Root, "build", "screenshots", name + ".png"), FullPage = whole });
        await page.EvaluateAsync(await File.ReadAllTextAsync(Axe));
        string[] faults = await page.EvaluateAsync<string[]>("""
            async () => (await axe.run()).violations.filter((v) => v.impact === "serious" || v.impact === "critical")
                .map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ") + " " + n.any.map((a) => a.message).join("; "))
                    .slice(0, 5).join(" | ")}`)
            """);
        Assert.True(faults.Length == 0, $"{name}: {string.Join('\n', faults)}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
        _playwright?.Dispose();
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
