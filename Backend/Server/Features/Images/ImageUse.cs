using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.References;
using Bootstrap.Server.Storage;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Images;

/// <summary>What an image is needed for, and so not removed.</summary>
internal sealed class ImageUse(Database database, IEnumerable<IReferences> references)
{
    /// <summary>So many names are told; the others are counted.</summary>
    private const int NamesTold = 3;

    /// <summary>What will need it without a person asking again, in one sentence; null: nothing does.</summary>
    public string? Ahead(ImageView image)
    {
        ILookup<Needing, string> users = database.Read(c => UsersOf(c, image));
        if (users[Needing.Policy].Any())
        {
            return $"New boards are installed with '{image.Name}': change that policy first.";
        }
        string[] schedules = [.. users[Needing.Schedule]];
        return schedules.Length == 0 ? null
            : $"The schedule{(schedules.Length == 1 ? "" : "s")} {Names(schedules)} install{(schedules.Length == 1 ? "s" : "")} " +
                $"'{image.Name}': change or delete {(schedules.Length == 1 ? "it" : "them")} first.";
    }

    /// <summary>What needs it at this moment, in one sentence; null: nothing does.</summary>
    /// <param name="evenIfInstalled">Nodes that run it are no reason: they go on running it, and cannot be installed with it again.</param>
    public string? Now(SqliteConnection c, ImageView image, bool evenIfInstalled)
    {
        int jobs = UsersOf(c, image)[Needing.Job].Count();
        if (jobs > 0)
        {
            string users = jobs == 1 ? "A job that has not ended installs" : $"{jobs} jobs that have not ended install";
            return $"{users} '{image.Name}': wait for the end, or cancel first.";
        }
        string[] nodes = evenIfInstalled ? [] : [.. NodeRow.NamesInstalled(c, image.Digest)];
        return nodes.Length == 0 ? null
            : $"'{image.Name}' runs on {Names(nodes)}: install another image there first, or delete it by force; they go on running it, " +
                "and cannot be installed with it again.";
    }

    private ILookup<Needing, string> UsersOf(SqliteConnection c, ImageView image) => references
        .SelectMany(feature => feature.To(c, Needed.Image, image.Digest.ToString())).ToLookup(user => user.By, user => user.Name);

    private static string Names(string[] names) => names.Length <= NamesTold
        ? string.Join(", ", names)
        : $"{string.Join(", ", names.Take(NamesTold))} and {names.Length - NamesTold} more";
}
