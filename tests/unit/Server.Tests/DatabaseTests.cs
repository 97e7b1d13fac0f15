using Bootstrap.Protocol;
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
