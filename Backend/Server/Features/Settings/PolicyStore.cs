using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Storage;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Settings;

/// <summary>What the appliance does by itself. The default is: nothing; no disk is written before a person said so.</summary>
/// <param name="InstallNewBoards">Architecture → digest of the image that new nodes get, once they are approved.</param>
/// <param name="AuthorizedKeys">OpenSSH public keys that may sign in as root on installed systems.</param>
/// <param name="Profile">Name of the customisation profile that those boards get; null: none.</param>
/// <param name="ApproveNewBoards">
/// Boards that were never seen before are nodes without a person's approval. For a rack that nobody else's machine can reach: every machine
/// that does is
/// admitted, and gets what the policy installs, with the secrets of its profile. Never for a board that says it is a node which is known
/// already.
/// </param>
/// <param name="BurnIn">What new boards are put through once they are installed, one of <see cref="BurnInSets"/>; null: nothing. Before a
/// long one, the card is tested when it is installed.</param>
/// <param name="BurnInSince">Boards that came before are not new, Unix milliseconds.</param>
public sealed record Policy(
    IReadOnlyDictionary<string, Digest> InstallNewBoards, IReadOnlyList<string> AuthorizedKeys, string? Profile = null,
    bool ApproveNewBoards = false, string? BurnIn = null, long? BurnInSince = null)
{
    /// <summary>Half an hour or so, and some hours.</summary>
    public const string ShortBurnIn = "short", LongBurnIn = "long";

    public static readonly IReadOnlyList<string> BurnInSets = [ShortBurnIn, LongBurnIn];

    public static readonly Policy Default = new(new Dictionary<string, Digest>(), []);

    /// <summary>The image for a new board, or null: it waits for a person.</summary>
    public Digest? ImageFor(string architecture) => InstallNewBoards.TryGetValue(architecture, out Digest image) ? image : null;
}

/// <summary>Keeps the policy.</summary>
public sealed class PolicyStore(SettingsStore settings)
{
    private const string Key = "policy";

    public Policy Get() => settings.Get<Policy>(Key) ?? Policy.Default;

    /// <summary>That of a database.</summary>
    public static Policy Get(SqliteConnection c) => SettingsStore.Get<Policy>(c, Key) ?? Policy.Default;

    public void Set(Policy policy) => settings.Set(Key, policy);
}
