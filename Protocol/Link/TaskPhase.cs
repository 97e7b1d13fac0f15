namespace Bootstrap.Protocol.Link;

/// <summary>Phases of tasks: what nodes report, what the database keeps, and what people read.</summary>
public static class TaskPhase
{
    /// <summary>The node has taken the order, and says no more yet.</summary>
    public const string Accepted = "accepted";

    /// <summary>Whoever is logged in is told what is to come.</summary>
    public const string WarningUsers = "warning-users";

    /// <summary>What is needed is fetched, checked and put where the next start takes it.</summary>
    public const string Staging = "staging";

    /// <summary>Nothing is written yet.</summary>
    public const string Checking = "checking";

    /// <summary>What people have on the disk is kept for them.</summary>
    public const string Keeping = "keeping";

    /// <summary>All of the disk is written, and read back.</summary>
    public const string Testing = "testing";

    public const string Writing = "writing";

    /// <summary>What was written is read back.</summary>
    public const string Verifying = "verifying";

    public const string Configuring = "configuring";

    /// <summary>The node goes down to start what was written.</summary>
    public const string Rebooting = "rebooting";

    /// <summary>The node is away, and expected back.</summary>
    public const string Restarting = "restarting";

    /// <summary>The machine goes off.</summary>
    public const string GoingDown = "going-down";

    /// <summary>Written and verified; the new system starts.</summary>
    public const string Starting = "starting";

    /// <summary>Written and verified; the node restarts into the other slot, once.</summary>
    public const string Trying = "trying";

    /// <summary>The new system has reported in, and makes what was written the one that always starts.</summary>
    public const string Confirming = "confirming";

    /// <summary>The new system has reported in, and does what the profile leaves to it.</summary>
    public const string FirstBoot = "first-boot";

    /// <summary>It failed, and is tried again.</summary>
    public const string Retrying = "retrying";
}
