using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Bootstrap.Protocol.Tests;

/// <summary>Dependencies point one way, so that a board's programs never carry the appliance's code, nor the other way round.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>Every project of the product and the only projects that it may name.</summary>
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Protocol"] = [],
        ["Netboot"] = ["Protocol"],
        ["Imaging"] = ["Protocol"],
        ["Server"] = ["Netboot", "Imaging", "Protocol"],
        ["Cli"] = ["Server", "Protocol"],
        ["Board"] = ["Protocol"],
        ["Link"] = ["Protocol"],
        ["Benchmarks"] = ["Board", "Protocol"],
        ["Agent"] = ["Installer", "Benchmarks", "Board", "Link", "Protocol"],
        ["Installer"] = ["Board", "Link", "Protocol"],
        ["Init"] = ["Installer", "Board", "Link", "Protocol"],
    };

    [Fact]
    public void Projects_reference_only_what_the_house_allows()
    {
        string[] projects = ProductProjects();
        Assert.Equal(s_allowed.Keys.Order(), projects.Select(Name).Order());
        foreach (string project in projects)
        {
            IEnumerable<string> references = References(project, "ProjectReference").Select(Name);
            Assert.All(references, reference =>
                Assert.True(s_allowed[Name(project)].Contains(reference), $"{Name(project)} references {reference}"));
        }
    }

    [Fact]
    public void Protocol_needs_no_packages() =>
        Assert.Empty(References(ProductProjects().Single(p => Name(p) == "Protocol"), "PackageReference"));

    [Fact]
    public void Boot_services_and_imaging_know_nothing_of_web_servers() =>
        Assert.All(ProductProjects().Where(p => Name(p) is "Netboot" or "Imaging"), p =>
        {
            Assert.Empty(References(p, "FrameworkReference"));
            Assert.DoesNotContain("Sdk.Web", File.ReadAllText(p));
        });

    [Fact]
    public void Client_commands_know_the_appliance_by_its_API_alone()
    {
        string cli = Path.Combine(Root(), "Backend", "Cli");
        string[] users = [.. Directory.EnumerateFiles(cli, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal)
                && File.ReadAllText(f).Contains("using Bootstrap.Server", StringComparison.Ordinal))
            .Select(f => Path.GetFileName(f)!).Order()];
        // The last two work on a data folder of this machine, without an appliance; a backup is opened where it arrives.
        Assert.Equal(["BackupCommands.cs", "BackupTarget.cs", "RestoreCommand.cs", "ServeCommand.cs"], users);
    }

    /// <summary>A dollar sign also matches before a line break at the end, so that "admin\n" would pass for a name: texts are matched to
    /// `\z`.</summary>
    [Fact]
    public void Patterns_match_texts_to_their_very_end()
    {
        string[] wrong = [.. Sources("Protocol", "Backend", "Slave", "NetInst").SelectMany(File.ReadLines)
            .Where(line => line.Contains("Regex(", StringComparison.Ordinal)
                && (line.Contains("$\")", StringComparison.Ordinal) || line.Contains("$\",", StringComparison.Ordinal))
                && !line.Contains("RegexOptions.Multiline", StringComparison.Ordinal))];
        Assert.Empty(wrong);
    }

    /// <summary>But for migrations: those that stand stay as they are.</summary>
    [Fact]
    public void No_line_is_wider_than_140_columns() => Assert.Equal([], Sources("Protocol", "Backend", "Slave", "NetInst", "tests")
        .Where(file => !file.EndsWith("/Storage/Schema.cs", StringComparison.Ordinal))
        .SelectMany(file => File.ReadLines(file).Select((line, at) => (line, Where: $"{file}:{at + 1}")))
        .Where(found => found.line.Length > 140).Select(found => found.Where));

    [Fact]
    public void Names_of_tests_are_sentences_of_at_most_90_characters() => Assert.Equal([], Sources("tests")
        .SelectMany(file => Test().Matches(File.ReadAllText(file)).Select(test => test.Groups[1].Value)).Where(name => name.Length > 90));

    [GeneratedRegex(@"\bpublic (?:async Task|async ValueTask|Task|void) (\w+)\(")]
    private static partial Regex Test();

    private static IEnumerable<string> Sources(params string[] folders) => folders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static string[] ProductProjects() =>
        [.. new[] { "Protocol", "Backend", "Slave", "NetInst" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root(), folder), "*.csproj", SearchOption.AllDirectories))];

    private static IEnumerable<string> References(string project, string kind) =>
        XDocument.Load(project).Descendants(kind).Select(e => e.Attribute("Include")!.Value);

    private static string Name(string path) => Path.GetFileNameWithoutExtension(path);

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Bootstrap.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests run outside of the repository");
        }
        return folder;
    }
}
