namespace Bootstrap.Rack;

/// <summary>
/// The rack and each board live in namespaces of their own: a network that nothing else sees, and a process tree of which the kernel kills
/// every
/// member when its first process dies, however it dies. So nothing is left over, and killing a board is a power cut.
/// </summary>
internal static class Namespaces
{
    // Stays outside as the parent of a new tree's first process. Its own death, even by SIGKILL, takes the tree along (--pdeathsig; a shell
    // has one thread, whose death is the process'). SIGTERM is passed on. Ctrl-C reaches the inside by itself, where a shell's background
    // process would ignore it (--default-signal).
    private const string Parent = """
        trap '' INT; exec 3<&0
        env --default-signal=INT,QUIT setpriv --pdeathsig KILL -- "$@" <&3 3<&- & child=$!
        trap 'kill -TERM $child' TERM
        while :; do wait $child; code=$?; kill -0 $child 2>/dev/null || exit $code; done
        """;

    /// <summary>The command that runs this very program.</summary>
    public static string[] Self
    {
        get
        {
            string assembly = typeof(Namespaces).Assembly.Location;
            string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ??
                (Path.GetFileName(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet");
            return [host, "exec", assembly];
        }
    }

    /// <summary>This process' id as the world outside the rack counts; the rack keeps the outer /proc.</summary>
    public static int OuterProcessId => int.Parse(Path.GetFileName(new FileInfo("/proc/self").LinkTarget!),
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The command that starts another in a new rack.</summary>
    /// <exception cref="RackException">This user may not make one.</exception>
    public static string[] NewRack(params IEnumerable<string> command)
    {
        bool root = Native.GetEffectiveUser() == 0;
        if (!File.Exists("/dev/net/tun"))
        {
            throw new RackException("the rack needs /dev/net/tun for the boards' network cables, which this machine does not have: load " +
                "it with `sudo modprobe tun`");
        }
        if (!root && !CanUseTun())
        {
            throw new RackException("the rack needs sudo here: /dev/net/tun, which the boards' network cables are made of, is open to " +
                "root alone");
        }
        string[] user = root ? [] : ["--user", "--map-root-user"];
        return ["unshare", .. user, "--net", "--pid", "--", "sh", "-c", Parent, "sh", .. command];
    }

    /// <summary>The command that starts another as the first process of its own tree.</summary>
    public static string[] NewTree(params IEnumerable<string> command) => ["unshare", "--pid", "--", "sh", "-c", Parent, "sh", .. command];

    /// <summary>Explains why a rack could not be made.</summary>
    public static async Task<string?> WhyNotAsync()
    {
        string[] rack = NewRack("true");
        (int code, _, string errors) = await Tool.TryAsync(rack);
        return code == 0 ? null :
            $"the rack needs sudo here: this machine does not let ordinary users make network namespaces ({errors.Trim()})";
    }

    private static bool CanUseTun()
    {
        try
        {
            using FileStream tun = new("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
