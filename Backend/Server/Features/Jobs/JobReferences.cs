using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.References;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>Jobs that have not ended need what they name.</summary>
internal sealed class JobReferences : IReferences
{
    public IEnumerable<Reference> To(SqliteConnection c, Needed what, string key) => JobRow.OpenWhere(c, what switch
    {
        Needed.Image => "image = @value",
        Needed.File => "kind = 'deploy' AND parameters ->> '$.file' = @value",
        _ => "parameters ->> '$.profile' = @value",
    }, key).Select(job => new Reference(Needing.Job, job.ToString()));
}
