using Bootstrap.Server.Features.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Images;

/// <summary>What people call images, for the features below.</summary>
internal sealed class ImageNames : IImageNames
{
    public IReadOnlyDictionary<string, string> Names(SqliteConnection c) =>
        c.Query<(string Digest, string Name)>("SELECT digest, name FROM images").ToDictionary(i => i.Digest, i => i.Name);
}
