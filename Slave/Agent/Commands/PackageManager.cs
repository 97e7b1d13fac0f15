namespace Bootstrap.Agent.Commands;

/// <summary>How one package manager is asked, without a person at hand.</summary>
/// <param name="Program">Its name.</param>
/// <param name="Refresh">Arguments that fetch the lists of what there is.</param>
/// <param name="Upgrade">Arguments that upgrade everything.</param>
/// <param name="UpgradeSome">Arguments that upgrade the packages that follow, and install none that is not there.</param>
/// <param name="Install">Arguments that install the packages that follow.</param>
/// <param name="Busy">What it says when another one holds its lock and it does not wait by itself.</param>
internal sealed record PackageManager(
    string Program, string[] Refresh, string[] Upgrade, string[] UpgradeSome, string[] Install, string Busy)
{
    // apt waits for dpkg's lock alone, and not for that of its lists. A configuration file that a person changed stays.
    private static readonly string[] s_apt =
        ["-q", "-y", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"];

    /// <summary>Those that are known, the likeliest first.</summary>
    private static readonly PackageManager[] s_known =
    [
        new("apt-get", [.. s_apt, "update"], [.. s_apt, "--with-new-pkgs", "upgrade"], [.. s_apt, "--only-upgrade", "install"],
            [.. s_apt, "install"], "Could not get lock"),
        new("dnf", ["-y", "--refresh", "makecache"], ["-y", "upgrade"], ["-y", "upgrade"], ["-y", "install"],
        "Failed to obtain the transaction lock"),
        new("apk", ["update"], ["upgrade"], ["upgrade"], ["add"], "Unable to lock database"),
        new("pacman", ["-Sy", "--noconfirm"], ["-Su", "--noconfirm"], ["-S", "--needed", "--noconfirm"], ["-S", "--needed", "--noconfirm"],
        "unable to lock database"),
    ];

    /// <summary>Nobody is asked anything, and nothing is restarted behind people's backs.</summary>
    private static readonly Dictionary<string, string> s_environment = new()
    {
        ["DEBIAN_FRONTEND"] = "noninteractive",
        ["APT_LISTCHANGES_FRONTEND"] = "none",
        ["NEEDRESTART_MODE"] = "l",
    };

    /// <summary>A machine's package manager with its path; null: it has none that is known.</summary>
    public static (PackageManager Manager, string File)? Find(NodeSystem system) =>
        s_known.Select(manager => system.Find(manager.Program) is { } file ? (manager, file) : ((PackageManager, string)?)null)
        .FirstOrDefault(found => found is not null);

    /// <summary>Names of all that are known.</summary>
    public static string Names => string.Join(", ", s_known.Select(manager => manager.Program));

    /// <summary>The command of one step.</summary>
    /// <param name="file">Its path.</param>
    public Command Command(string file, string[] arguments, IEnumerable<string> packages) =>
        Commands.Command.ByRoot([file, .. arguments, .. packages]) with { Environment = s_environment };
}
