using System.Text.RegularExpressions;

namespace Bootstrap.Protocol.Tests;

/// <summary>docs/security.md: each promise has its test, and each test that is named is there.</summary>
public partial class SecurityPromisesTests
{
    [Fact]
    public void Each_promise_names_tests_that_exist()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository(), "docs", "security.md"));
        string promises = string.Join('\n', lines.SkipWhile(l => l != "## Boards and nodes"));
        string[] without = [.. Promise().Matches(promises).Select(m => m.Value).Where(p => !TestName().IsMatch(p))];
        Assert.Empty(without);
        HashSet<string> tests = [.. Directory.EnumerateFiles(Path.Combine(Repository(), "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal)).SelectMany(TestsOf)];
        string[] named = [.. TestName().Matches(promises).Select(m => m.Groups["test"].Value)];
        Assert.NotEmpty(named);
        Assert.All(named, test => Assert.Contains(test, tests));
    }

    private static IEnumerable<string> TestsOf(string file)
    {
        string text = File.ReadAllText(file);
        // A part of a class (InstallationTests.Kept.cs) is the class.
        string name = Path.GetFileName(file).Split('.')[0];
        return Method().Matches(text).Select(m => $"{name}.{m.Groups["name"].Value}");
    }

    private static string Repository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Bootstrap.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder ?? throw new InvalidOperationException("not in the repository");
    }

    /// <summary>A line that begins a list's item, and those that go on with it.</summary>
    [GeneratedRegex(@"^- .*(\n  .*)*", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Promise();

    [GeneratedRegex(@"`(?<test>\w+Tests\.\w+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex TestName();

    [GeneratedRegex(@"public (async )?(Task|void) (?<name>\w+)\(", RegexOptions.ExplicitCapture)]
    private static partial Regex Method();
}
