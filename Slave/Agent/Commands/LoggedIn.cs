using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Bootstrap.Agent.Commands;

/// <summary>Who is logged in on this machine: by utmp(5) where it is kept, else by systemd's logind.</summary>
internal static class LoggedIn
{
    // struct utmp of glibc: type (USER_PROCESS is 7), process, line[32], id[4], user[32] …; 64-bit Arm has 64-bit times in it.
    private const int TypeAt = 0, ProcessAt = 4, UserAt = 44, UserLength = 32;
    private const short UserProcess = 7;
    private static readonly int s_recordLength = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 400 : 384;

    /// <summary>Names of the users, each once.</summary>
    public static async Task<string[]> FindAsync(NodeSystem system, CancellationToken cancellation)
    {
        string utmp = Path.Combine(system.Root, "run/utmp");
        return File.Exists(utmp) ? [.. OfUtmp(await File.ReadAllBytesAsync(utmp, cancellation).ConfigureAwait(false)).Distinct()]
            : system.Find("loginctl") is { } loginctl ? await OfLogindAsync(loginctl, cancellation).ConfigureAwait(false)
            : [];
    }

    private static IEnumerable<string> OfUtmp(byte[] utmp)
    {
        for (int at = 0; at + s_recordLength <= utmp.Length; at += s_recordLength)
        {
            byte[] record = utmp[at..(at + s_recordLength)];
            // Whoever was cut off may still have his entry: his process is gone.
            if (BinaryPrimitives.ReadInt16LittleEndian(record.AsSpan(TypeAt)) == UserProcess &&
                BinaryPrimitives.ReadInt32LittleEndian(record.AsSpan(ProcessAt)) is > 0 and var process &&
                File.Exists($"/proc/{process}/stat"))
            {
                yield return Encoding.UTF8.GetString(record.AsSpan(UserAt, UserLength)).TrimEnd('\0');
            }
        }
    }

    /// <summary>One line for each session: its id, the user's number and name, and more that depends on the version.</summary>
    private static async Task<string[]> OfLogindAsync(string loginctl, CancellationToken cancellation)
    {
        using Process process = Process.Start(new ProcessStartInfo(
            loginctl, ["list-sessions", "--no-legend", "--no-pager"])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string[] lines = (await process.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false)).Split('\n');
        await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        return
        [
            .. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                // Since systemd 256 a user's service manager has a session, too.
                .Where(words => words.Length >= 3 && !words.Any(word => word.StartsWith("manager", StringComparison.Ordinal)))
                .Select(words => words[2]).Distinct(),
        ];
    }
}
