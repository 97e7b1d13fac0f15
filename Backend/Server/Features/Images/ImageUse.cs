using Bootstrap.Server.Features.Jobs;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Schedules;
using Bootstrap.Server.Features.Settings;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Images;

/// <summary>What an image is needed for, and so not removed.</summary>
internal sealed class ImageUse(ImageCatalogue images, PolicyStore policy, ScheduleStore schedules)
{
    /// <summary>So many names are told; the others are counted.</summary>
    private const int NamesTold = 3;

    /// <summary>What will need it without a person asking again, in one sentence; null: nothing does.</summary>
    public string? Ahead(ImageView image)
    {
        if (policy.Get().InstallNewBoards.Values.Contains(image.Digest))
        {
            return $"New boards are installed with '{image.Name}': change that policy first.";
        }
        // A schedule that names it takes the newest of that name at each run: an older one in its place would be a surprise.
        string[] users = [.. schedules.All().Select(s => s.Schedule)
            .Where(s => s.Job.Image is { } wanted && images.Find(wanted)?.Digest == image.Digest).Select(s => s.Name)];
        return users.Length == 0 ? null
            : $"The schedule{(users.Length == 1 ? "" : "s")} {Names(users)} install{(users.Length == 1 ? "s" : "")} '{image.Name}': " +
                $"change or delete {(users.Length == 1 ? "it" : "them")} first.";
    }

    /// <summary>What needs it at this moment, in one sentence; null: nothing does.</summary>
    /// <param name="evenIfInstalled">Nodes that run it are no reason: they go on running it, and cannot be installed with it again.</param>
    public static string? Now(SqliteConnection c, ImageView image, bool evenIfInstalled)
    {
        string digest = image.Digest.ToString();
        int jobs = JobRow.OpenWhere(c, "image = @value", digest).Count;
        if (jobs > 0)
        {
            string users = jobs == 1 ? "A job that has not ended installs" : $"{jobs} jobs that have not ended install";
            return $"{users} '{image.Name}': wait for the end, or cancel first.";
        }
        string[] nodes = evenIfInstalled ? []
            : [.. c.Query<string>("SELECT name FROM nodes WHERE image = @digest AND lifecycle = @installed ORDER BY name",
            new { digest, installed = nameof(Lifecycle.Installed) })];
        return nodes.Length == 0 ? null
            : $"'{image.Name}' runs on {Names(nodes)}: install another image there first, or delete it by force; they go on running it, " +
                "and cannot be installed with it again.";
    }

    private static string Names(string[] names) => names.Length <= NamesTold
        ? string.Join(", ", names)
        : $"{string.Join(", ", names.Take(NamesTold))} and {names.Length - NamesTold} more";
}
