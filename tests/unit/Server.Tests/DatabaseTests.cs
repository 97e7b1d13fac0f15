using Bootstrap.Protocol;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Tests;

public sealed class DatabaseTests
{
    [Fact]
    public void A_file_that_is_no_database_is_one_sentence_and_stays_as_it_is()
    {
        string folder = Directory.CreateTempSubdirectory("test-database-").FullName;
        string path = Path.Combine(folder, "appliance.db");
        File.WriteAllText(path, "this was a database before the disk was full");
        IOException refusal = Assert.Throws<IOException>(() => new Database(path));
        Assert.StartsWith($"the appliance's database {path} cannot be used (", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("this was a database before the disk was full", File.ReadAllText(path));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_file_from_before_labels_and_history_is_taken_over_and_its_nodes_are_no_news()
    {
        string folder = Directory.CreateTempSubdirectory("test-database-").FullName;
        string path = Path.Combine(folder, "appliance.db");
        Inventory inventory = SimulatedNode.InventoryOf(Protocol.Ids.NodeId.Parse("10000000abcdef01"), "arm64");
        using (var old = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            old.Open();
            Schema.Migrate(old, 1);
            old.Execute("INSERT INTO nodes (id, name, lifecycle, inventory, first_seen, last_seen) VALUES (@id, 'front-1', 'Installed', " +
                "@json, 1, 2)",
                new
                {
                    id = inventory.Id.ToString(),
                    json = System.Text.Json.JsonSerializer.Serialize(inventory,
                    ProtocolJson.Default.Inventory)
                });
        }
        using (var database = new Database(path))
        {
            NodeRow node = database.Read(c => NodeRow.Find(c, inventory.Id))!;
            Assert.Equal(("front-1", NodeMark.None, 0), (node.Name, node.Mark, node.Tags.Count));
            Assert.Equal(inventory.Model, node.Inventory.Model);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_database_of_version_28_is_taken_over_whole_and_its_open_job_ends_as_any_other()
    {
        string folder = Directory.CreateTempSubdirectory("test-database-").FullName;
        string path = Path.Combine(folder, "appliance.db");
        Dictionary<string, long> before, after;
        using (var old = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            old.Open();
            old.Execute(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "database-28.sql")));
            before = CountRows(old);
            Assert.DoesNotContain(before, table => table.Value == 0);
        }
        using (var database = new Database(path))
        {
            after = database.Read(CountRows);
            Assert.Equal(before, after);
            TaskRow task = Assert.Single(database.Read(TaskRow.Open));
            Assert.Equal(("node-770001", TaskState.Running, "restarting"), (task.NodeName, task.State, task.Phase));
            database.Write(c => task.Move(c, new Step.Move(TaskState.Failed, "", "no power"), 1796117700000));
            // Said once, and once only: by the program, and no longer by the database.
            Assert.Equal([NoticeKind.JobFailing, NoticeKind.JobFailing, NoticeKind.JobEnded],
                database.Read(c => Outbox.All(c).Where(told => told.Subject == task.JobId).Select(told => told.Kind).ToList()));
            Assert.Equal(after["task_phases"] + 1, database.Read(CountRows)["task_phases"]);
            Assert.Empty(database.Read(c => c.Query<string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").ToList()));
        }
        Directory.Delete(folder, recursive: true);
    }

    private static Dictionary<string, long> CountRows(SqliteConnection c) =>
        c.Query<string>("SELECT name FROM sqlite_schema WHERE type = 'table'").ToList()
            .ToDictionary(table => table, table => c.ExecuteScalar<long>($"SELECT count(*) FROM {table}"));

    [Fact]
    public void What_is_written_between_two_statements_of_one_reader_is_not_seen_by_the_second()
    {
        string folder = Directory.CreateTempSubdirectory("test-database-").FullName;
        using (var database = new Database(Path.Combine(folder, "appliance.db")))
        {
            const string count = "SELECT count(*) FROM group_values";
            (long first, long second) = database.Read(c =>
            {
                long before = c.ExecuteScalar<long>(count);
                database.Write(w => w.Execute("INSERT INTO group_values (tag, body) VALUES ('front', '{}')"));
                return (before, c.ExecuteScalar<long>(count));
            });
            Assert.Equal((0, 0), (first, second));
            Assert.Equal(1, database.Read(c => c.ExecuteScalar<long>(count)));
        }
        Directory.Delete(folder, recursive: true);
    }
}
