using Bootstrap.Server.Storage;

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
}
