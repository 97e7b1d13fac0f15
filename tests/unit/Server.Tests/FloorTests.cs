using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Hosting;

namespace Bootstrap.Server.Tests;

/// <summary>The floors of the Server: a folder uses what stands below it, and a table is written and read by its owner.</summary>
public sealed partial class FloorTests
{
    private const string Root = "Bootstrap.Server";

    /// <summary>From the ground up. What stands in one line does not use each other.</summary>
    private static readonly string[][] s_floors =
    [
        [""], // options
        ["Storage"],
        ["Http"],
        ["Features.Trust", "Features.References"],
        ["Features.Access"],
        ["Features.Events"],
        ["Features.Nodes"],
        ["Features.Discovery", "Features.Files", "Features.Images"],
        ["Features.Profiles"],
        ["Features.Settings", "Features.NetInst"],
        ["Features.Jobs"],
        ["Features.Boot"],
        ["Features.Link", "Features.Monitoring", "Features.Schedules", "Features.Notifications", "Features.Benchmarks"],
        ["Features.BurnIn", "Features.Backups", "Features.Imager", "Features.Description"],
        ["Hosting"],
    ];

    /// <summary>Who owns each table.</summary>
    private static readonly Dictionary<string, string> s_owners = new()
    {
        ["alerts"] = "Monitoring",
        ["audit"] = "Access",
        ["benchmark_results"] = "Benchmarks",
        ["boot_boards"] = "Boot",
        ["boot_conversations"] = "Boot",
        ["burn_ins"] = "BurnIn",
        ["deliveries"] = "Notifications",
        ["files"] = "Files",
        ["group_values"] = "Profiles",
        ["images"] = "Images",
        ["jobs"] = "Jobs",
        ["leases"] = "Boot",
        ["node_changes"] = "Nodes",
        ["node_log"] = "Nodes",
        ["node_macs"] = "Nodes",
        ["node_values"] = "Profiles",
        ["nodes"] = "Nodes",
        ["notices"] = "Storage",
        ["people"] = "Access",
        ["presence"] = "Discovery",
        ["presence_events"] = "Discovery",
        ["profiles"] = "Profiles",
        ["revoked_keys"] = "Nodes",
        ["schedules"] = "Schedules",
        ["settings"] = "Storage",
        ["task_phases"] = "Jobs",
        ["tasks"] = "Jobs",
        ["tokens"] = "Access",
    };

    /// <summary>Whose views the features above may read in their own queries.</summary>
    private static readonly Dictionary<string, string> s_views = new() { ["image_names"] = "Images", ["node_names"] = "Nodes" };

    [Fact]
    public void Each_folder_uses_only_what_stands_below_it()
    {
        Architecture architecture = new ArchLoader().LoadAssembly(typeof(ApplianceHost).Assembly).Build();
        string[] upward = [.. Upward(architecture.Types.SelectMany(type => type.Dependencies).Where(d => d.Target is not GenericParameter)
            .Select(d => (Folder(d.Origin), d.Origin.FullName, Folder(d.Target), d.Target.FullName)))];
        Assert.True(upward.Length == 0, string.Join('\n', upward));
    }

    [Fact]
    public void A_reference_upwards_or_to_the_side_is_found()
    {
        Assert.Equal(["a of Features.Nodes uses b of Features.Jobs"], Upward([("Features.Nodes", "a", "Features.Jobs", "b")]));
        Assert.Single(Upward([("Features.Files", "a", "Features.Images", "b")]));
        Assert.Single(Upward([("Features.Unheard", "a", "Storage", "b")]));
        Assert.Empty(Upward([("Features.Jobs", "a", "Features.Nodes", "b"), ("Http", "a", "Http", "b"), ("Hosting", "a", null, "b")]));
    }

    /// <summary>But for the history's, which has a file of its own.</summary>
    [Fact]
    public void Each_table_is_its_owner_s()
    {
        Assert.Equal([], Uses(s_owners).Where(use => use.By != use.Owner));
        Assert.Equal([], Uses(s_views).Where(use =>
            use.By != use.Owner && !(Floor($"Features.{use.By}") > Floor($"Features.{use.Owner}"))));
    }

    /// <summary>Which folder names which table or view in SQL.</summary>
    private static HashSet<(string Table, string Owner, string By)> Uses(Dictionary<string, string> owners)
    {
        string server = Path.Combine(Repository(), "Backend", "Server");
        return Directory.EnumerateFiles(server, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Folder: Path.GetRelativePath(server, file).Split('/'), Text: file))
            .Where(file => file.Folder[0] is not ("obj" or "bin") && file.Folder[^1] != "Schema.cs" && !file.Folder.Contains("History"))
            .SelectMany(file => Tables(File.ReadAllText(file.Text), owners)
                .Select(table => (table, owners[table], file.Folder[0] == "Features" ? file.Folder[1] : file.Folder[0])))
            .ToHashSet();
    }

    /// <summary>Who works for every kind of job.</summary>
    private static readonly string[] s_kindless =
    [
        "Jobs/Engine/JobEngine.cs", "Jobs/Engine/JobEngine.Orders.cs", "Jobs/Engine/StallWatch.cs", "Jobs/Kept/KeptArchives.cs",
        "Jobs/Kept/KeptEndpoints.cs", "Jobs/Tasks/TaskFraction.cs", "Jobs/Tasks/TaskRow.cs", "Jobs/Tasks/JobRow.cs",
        "Jobs/Tasks/OpenTasks.cs",
        "Jobs/Api/JobView.cs", "Boot/Boards/BootPlanner.cs",
        "Boot/Doctor/BootRecorder.cs", "Link/EnrolmentEndpoint.cs", "Link/LinkEndpoint.cs",
    ];

    [Fact]
    public void Who_works_for_all_kinds_of_jobs_knows_none_by_name()
    {
        string[] names = [.. typeof(TaskKind).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(TaskKind)) && !t.IsAbstract)
            .SelectMany(kind => new[] { $"{kind.Name}.", $"'{((TaskKind)Activator.CreateInstance(kind)!).Word}'" })];
        Assert.Contains("InstallKind.", names);
        Assert.Equal([], s_kindless.SelectMany(file =>
        {
            string text = File.ReadAllText(Path.Combine(Repository(), "Backend", "Server", "Features", file));
            return names.Where(name => text.Contains(name, StringComparison.Ordinal)).Select(name => $"{file} knows {name}");
        }));
    }

    [Fact]
    public void Each_table_has_an_owner() => Assert.Equal(s_owners.Keys.Order(), CreatedTable()
        .Matches(File.ReadAllText(Path.Combine(Repository(), "Backend", "Server", "Storage", "Schema.cs"))).Select(m => m.Groups[1].Value)
        .Distinct().Where(table => !table.StartsWith("new_", StringComparison.Ordinal)).Order());

    [Theory]
    [InlineData("SELECT a FROM nodes n JOIN jobs j ON 1", "nodes jobs")]
    [InlineData("INSERT OR IGNORE INTO tasks (id) VALUES (1); UPDATE leases SET a = 1; DELETE FROM people", "tasks leases people")]
    [InlineData("a word FROM the wise", "")]
    public void A_table_in_SQL_is_found(string sql, string tables) => Assert.Equal(tables, string.Join(' ', Tables(sql, s_owners)));

    private static IEnumerable<string> Tables(string text, Dictionary<string, string> owners) =>
        UsedTable().Matches(text).Select(m => m.Groups[1].Value).Where(owners.ContainsKey).Distinct();

    private static IEnumerable<string> Upward(IEnumerable<(string? From, string Origin, string? To, string Target)> uses) =>
        from use in uses
        where use.From is not null && use.To is not null && use.From != use.To && !(Floor(use.From) > Floor(use.To))
        select $"{use.Origin} of {use.From} uses {use.Target} of {use.To}";

    /// <summary>Null, so that nothing is above or below it, where it stands on none.</summary>
    private static int? Floor(string folder) =>
        Array.FindIndex(s_floors, floor => floor.Contains(folder)) is >= 0 and var floor ? floor : null;

    /// <summary>The folder of a type of the Server; null: it is none of its.</summary>
    private static string? Folder(IType type)
    {
        if (type.Namespace?.FullName is not { } name || name != Root && !name.StartsWith(Root + ".", StringComparison.Ordinal))
        {
            return null;
        }
        string[] parts = name[Root.Length..].Split('.', StringSplitOptions.RemoveEmptyEntries);
        return parts is ["Features", var feature, ..] ? $"Features.{feature}" : parts.FirstOrDefault() ?? "";
    }

    private static string Repository()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Bootstrap.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests run outside of the repository");
        }
        return folder;
    }

    [GeneratedRegex(@"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)")]
    private static partial Regex UsedTable();

    [GeneratedRegex(@"CREATE TABLE (\w+)")]
    private static partial Regex CreatedTable();
}
