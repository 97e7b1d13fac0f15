using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.References;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Settings;

/// <summary>The policy for new boards needs the images and the profile that they get.</summary>
internal sealed class PolicyReferences : IReferences
{
    public IEnumerable<Reference> To(SqliteConnection c, Needed what, string key)
    {
        Policy policy = PolicyStore.Get(c);
        bool needs = what switch
        {
            Needed.Image => policy.InstallNewBoards.Values.Contains(Digest.Parse(key)),
            Needed.Profile => policy.Profile == key,
            _ => false,
        };
        return needs ? [new Reference(Needing.Policy, "")] : [];
    }
}
