using System.Text;
using Bootstrap.Agent.Commands;

namespace Bootstrap.Agent.Firmware;

/// <summary>
/// Whether the EEPROM is updated by somebody else at this moment: by the service of the program's own package, by a person, or by a Slave
/// that was killed before it had written down what it began.
/// </summary>
internal static class UpdaterAtWork
{
    private static readonly string[] s_shells = ["sh", "dash", "bash"];

    /// <summary>What speaks against a second one, with what to do; empty: nothing.</summary>
    public static string FindFault(NodeSystem system) =>
        Directory.EnumerateDirectories(Path.Combine(system.Root, "proc")).Select(folder => Path.GetFileName(folder))
            .FirstOrDefault(name => name.All(char.IsAsciiDigit) && IsUpdater(WordsOf(system, name))) is { } process
            ? $"{EepromTool.Name} is at work already (process {process}): order this again when it has ended"
            : "";

    /// <summary>A script's shell comes before it.</summary>
    private static bool IsUpdater(string[] words) =>
        words.Length > 0 && (words[0] == EepromTool.Name || words.Length > 1 && s_shells.Contains(words[0]) && words[1] == EepromTool.Name);

    /// <summary>The file names of a process's words; none where it has ended meanwhile, or is hidden (hidepid of proc(5)).</summary>
    private static string[] WordsOf(NodeSystem system, string process)
    {
        try
        {
            return [.. Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(system.Root, "proc", process, "cmdline"))).Split('\0')
                .Select(word => Path.GetFileName(word))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
