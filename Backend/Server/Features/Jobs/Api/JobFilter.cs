using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;

namespace Bootstrap.Server.Features.Jobs.Api;

/// <summary>Which jobs are listed.</summary>
/// <param name="Kind">Of this kind alone.</param>
/// <param name="State">A word of <see cref="States"/>.</param>
/// <param name="Text">Part of the name of a node or of the image, of who ordered it, of its parameters, schedule or note.</param>
/// <param name="Id">The beginning of its id.</param>
/// <param name="Before">Those that were ordered before that one: the end of an earlier list.</param>
/// <param name="Limit">At most so many.</param>
internal sealed record JobFilter(string? Kind = null, string? State = null, string? Text = null, string? Id = null,
    Guid? Before = null, int Limit = JobFilter.MostListed)
{
    /// <summary>So many are listed at once.</summary>
    public const int MostListed = 1000;

    private static readonly Dictionary<string, string> s_states = new()
    {
        ["open"] = JobRow.Open,
        ["paused"] = $"j.paused AND {JobRow.Open}",
        ["succeeded"] = $"NOT EXISTS (SELECT 1 FROM tasks WHERE job_id = j.id AND state <> 'Succeeded') AND NOT ({JobRow.Unchosen})",
        ["failed"] = "j.id IN (SELECT job_id FROM tasks WHERE state IN ('Failed', 'TimedOut'))",
        ["cancelled"] = "j.id IN (SELECT job_id FROM tasks WHERE state = 'Cancelled')",
        ["skipped"] = "j.id IN (SELECT job_id FROM tasks WHERE state = 'Skipped')",
    };

    /// <summary>Open: some task has not ended; succeeded: all did; the others: some task is so.</summary>
    public static IEnumerable<string> States => s_states.Keys;

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    public string? Validate() =>
        Limit is < 1 or > MostListed ? $"limit is 1 to {MostListed}, not {Limit}."
        : Kind is not null && TaskKind.Find(Kind) is null ? JobEndpoints.NoSuchKind(Kind)
        : State is not null && !s_states.ContainsKey(State) ? $"A job is not '{State}': state is one of {string.Join(", ", States)}."
        : null;

    /// <summary>A query for the ids. Those of jobs are UUIDs of version 7: in the order of time, to the millisecond.</summary>
    public string Ids => $"""
        SELECT j.id FROM jobs j
        WHERE (@Kind IS NULL OR j.kind = @Kind) AND (@before IS NULL OR j.id < @before)
            {(Id is null ? "" : @"AND j.id LIKE @id ESCAPE '\'")}
            {(State is null ? "" : $"AND {s_states[State]}")}
            {(string.IsNullOrWhiteSpace(Text) ? "" : Said)}
        ORDER BY j.id DESC LIMIT @Limit
        """;

    /// <summary>What <see cref="Ids"/> names.</summary>
    public object Values => new
    {
        Kind,
        before = Before?.ToString(),
        Limit,
        id = $"{Escape(Id ?? "")}%",
        text = $"%{Escape(Text?.Trim() ?? "")}%",
    };

    private const string Said = """
        AND (j.kind LIKE @text ESCAPE '\' OR j.created_by LIKE @text ESCAPE '\' OR j.schedule LIKE @text ESCAPE '\'
            OR j.note LIKE @text ESCAPE '\' OR j.parameters LIKE @text ESCAPE '\'
            OR j.image IN (SELECT digest FROM image_names WHERE name LIKE @text ESCAPE '\')
            OR j.id IN (SELECT t.job_id FROM node_names n CROSS JOIN tasks t ON t.node_id = n.id WHERE n.name LIKE @text ESCAPE '\')
            OR j.id IN (SELECT job_id FROM tasks WHERE node_name IS NOT NULL AND node_name LIKE @text ESCAPE '\'))
        """;

    private static string Escape(string text) =>
        text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)
            .Replace("_", @"\_", StringComparison.Ordinal);
}
