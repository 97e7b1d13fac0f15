using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.References;

/// <summary>What may be needed when somebody wants to remove it.</summary>
internal enum Needed
{
    /// <summary>An image, by its digest.</summary>
    Image,

    /// <summary>A file that can be deployed, by its digest.</summary>
    File,

    /// <summary>A profile, by its name.</summary>
    Profile,
}

/// <summary>Who needs something.</summary>
internal enum Needing
{
    /// <summary>The policy for new boards.</summary>
    Policy,

    /// <summary>A schedule, by its name.</summary>
    Schedule,

    /// <summary>A job that has not ended, by its id.</summary>
    Job,
}

/// <summary>Something needs it.</summary>
/// <param name="Name">Empty where there is only one of its kind.</param>
internal sealed record Reference(Needing By, string Name);

/// <summary>A feature that names images, files or profiles: it is asked before one of them is removed, in the transaction that removes
/// it.</summary>
internal interface IReferences
{
    /// <summary>What needs it now, or will without a person asking again; in the order in which people know them.</summary>
    /// <param name="key">As <paramref name="what"/> says.</param>
    IEnumerable<Reference> To(SqliteConnection c, Needed what, string key);
}
