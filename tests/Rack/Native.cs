using System.Runtime.InteropServices;

namespace Bootstrap.Rack;

internal static partial class Native
{
    public const int SigKill = 9;
    public const int SigTerm = 15;

    /// <summary>Replaces this process by another program; returns only if that fails.</summary>
    public static void Exec(string[] command) => ExecVp(command[0], [.. command, null]);

    [LibraryImport("libc", EntryPoint = "execvp", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int ExecVp(string file, string?[] arguments);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUser();
}
