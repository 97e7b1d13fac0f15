using Bootstrap.Board;

namespace Bootstrap.Benchmarks.Measurement;

/// <summary>
/// Has the kernel run the processors at their highest clock (Documentation/admin-guide/pm/cpufreq.rst, "performance") and puts back what
/// was. What was stands in a file until then: whoever finds that file puts it back, should this process not have come to it.
/// </summary>
internal sealed class Governors : IDisposable
{
    private const string Policies = "sys/devices/system/cpu/cpufreq", Performance = "performance";

    private readonly string _root, _file;

    private Governors(string root, string file) => (_root, _file) = (root, file);

    /// <summary>Sets all of them.</summary>
    /// <param name="root">"/" but in tests.</param>
    /// <param name="file">Keeps what was; in a folder that a restart of the machine empties, as it does the governors.</param>
    /// <exception cref="IOException">They cannot be set; what was is as it was.</exception>
    public static Governors Raise(string root, string file)
    {
        Restore(root, file);
        (string Policy, string Governor)[] before = [.. Read(root).Where(p => p.Governor != Performance)];
        var governors = new Governors(root, file);
        if (before.Length > 0)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllLines(file, before.Select(p => $"{p.Policy} {p.Governor}"));
            try
            {
                foreach ((string policy, _) in before)
                {
                    Write(root, policy, Performance);
                }
            }
            catch (IOException)
            {
                governors.Dispose();
                throw;
            }
        }
        return governors;
    }

    /// <summary>Each policy of the machine with its governor.</summary>
    public static IEnumerable<(string Policy, string Governor)> Read(string root)
    {
        var sys = new SysFile(root);
        return sys.Names(Policies).Order(StringComparer.Ordinal).Select(policy => (policy, sys.Text(FileOf(policy)) ?? ""))
            .Where(p => p.Item2.Length > 0);
    }

    /// <summary>Puts back what a run has left that was ended in the middle.</summary>
    public static void Restore(string root, string file)
    {
        if (!File.Exists(file))
        {
            return;
        }
        foreach (string[] words in File.ReadAllLines(file).Select(line => line.Split(' ')).Where(words => words.Length == 2))
        {
            // A policy that is gone has its governor no more; whoever has chosen another one meanwhile keeps it.
            if (Read(root).Contains((words[0], Performance)))
            {
                Write(root, words[0], words[1]);
            }
        }
        File.Delete(file);
    }

    public void Dispose() => Restore(_root, _file);

    private static string FileOf(string policy) => $"{Policies}/{policy}/scaling_governor";

    private static void Write(string root, string policy, string governor) => new SysFile(root).Write(FileOf(policy), governor);
}
