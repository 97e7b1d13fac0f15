using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>What people call the images that run on nodes; known by who keeps them.</summary>
internal interface IImageNames
{
    /// <summary>By their digests.</summary>
    IReadOnlyDictionary<string, string> Names(SqliteConnection c);
}
