using Bootstrap.Protocol.Ids;

namespace Bootstrap.Protocol.Link;

/// <summary>
/// What a node keeps through an image update: while the disk is written, the appliance has it. One archive of a task, at
/// <see cref="Path"/> on the link's port, for the node's own certificate alone: PUT stores it and answers with a
/// <see cref="KeptArchive"/>; GET gives it back; GET of <see cref="StatePath"/> gives a <see cref="KeptState"/>. It is a tar by zstd:
/// files below <see cref="Files"/>, and below <see cref="Accounts"/> the old system's passwd, shadow, group and gshadow, as far as people's
/// own accounts are in them.
/// </summary>
/// <param name="Digest">SHA-256 of the archive as it is stored.</param>
/// <param name="Length">Its bytes.</param>
public sealed record KeptArchive(Digest Digest, long Length)
{
    public const string Files = "files/";

    public const string Accounts = "accounts/";

    /// <summary>Numbers of people's own accounts: Debian's adduser's, and what useradd has on other systems.</summary>
    public const uint FirstPerson = 1000, LastPerson = 59999;

    public static string Path(Guid task) => $"/kept/{task}";

    public static string StatePath(Guid task) => $"/kept/{task}/state";
}

/// <summary>What the appliance has of a task.</summary>
/// <param name="Archive">Null: none yet.</param>
/// <param name="RoomBytes">How long an archive may be.</param>
public sealed record KeptState(KeptArchive? Archive, long RoomBytes);
