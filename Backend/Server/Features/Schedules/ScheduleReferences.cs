using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.References;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Schedules;

/// <summary>Schedules need the image and the profile of the jobs that they make.</summary>
internal sealed class ScheduleReferences : IReferences
{
    public IEnumerable<Reference> To(SqliteConnection c, Needed what, string key) => ScheduleStore.AllIn(c)
        .Where(schedule => what switch
        {
            // One that names it takes the newest of that name at each run: an older one in its place would be a surprise.
            Needed.Image => schedule.Job.Image is { } wanted && ImageCatalogue.FindIn(c, wanted)?.Digest.ToString() == key,
            Needed.Profile => schedule.Job.Parameters is { ValueKind: System.Text.Json.JsonValueKind.Object } parameters
                && parameters.TryGetProperty("profile", out System.Text.Json.JsonElement profile) && profile.ToString() == key,
            _ => false,
        })
        .Select(schedule => new Reference(Needing.Schedule, schedule.Name));
}
