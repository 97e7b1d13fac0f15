using System.Globalization;
using System.Text.RegularExpressions;

namespace Bootstrap.Server.Storage;

/// <summary>
/// How a restored state takes the place of what a data folder has. It is built in <c>restoring/</c>, and counts from the moment in which
/// that is renamed to <c>restored-TIME/</c>: whoever opens the folder from then on puts it in its place, as often as it is broken off.
/// What was there before goes to <c>replaced-TIME/</c>.
/// </summary>
internal static partial class RestoredFolder
{
    private const string Staging = "restoring", Whole = "restored-", Entering = "entering-", Replaced = "replaced-";

    /// <summary>What stays where it is, whatever state is restored. No backup has what nodes measured: it is theirs still.</summary>
    private static readonly HashSet<string> s_stays = ["lock", "pid", "backups", "lost+found",
        "history.db", "history.db-wal", "history.db-shm"];

    /// <summary>Names of folders that a data folder may have for a while.</summary>
    public static bool IsName(string name) =>
        name == Staging || name.StartsWith(Whole, StringComparison.Ordinal) || name.StartsWith(Entering, StringComparison.Ordinal)
        || name.StartsWith(Replaced, StringComparison.Ordinal);

    /// <summary>An empty folder to build the state in; what a broken-off one left is gone.</summary>
    public static string Begin(string data)
    {
        Discard(data);
        string staging = Path.Combine(data, Staging);
        Directory.CreateDirectory(staging, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return staging;
    }

    /// <summary>Removes a state that does not count.</summary>
    public static void Discard(string data)
    {
        if (Directory.Exists(Path.Combine(data, Staging)))
        {
            Directory.Delete(Path.Combine(data, Staging), recursive: true);
        }
    }

    /// <summary>The state in <see cref="Begin"/>'s folder, which is durable, counts from now on.</summary>
    public static void Commit(string data, DateTimeOffset now)
    {
        string name = now.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        while (Directory.Exists(Path.Combine(data, Replaced + name)))
        {
            name += "x";
        }
        Directory.Move(Path.Combine(data, Staging), Path.Combine(data, Whole + name));
    }

    /// <summary>Whether a restored state is yet to be put in its place.</summary>
    public static bool IsPending(string data) => Find(data, Whole) is not null || Find(data, Entering) is not null;

    /// <summary>Puts a restored state in its place, where there is one, and removes what one left that was never whole.</summary>
    /// <returns>Where that is which was there before; null: nothing was.</returns>
    public static string? Finish(string data)
    {
        Discard(data);
        string? replaced = null;
        if (Find(data, Whole) is { } whole)
        {
            string time = Path.GetFileName(whole)[Whole.Length..];
            replaced = Path.Combine(data, Replaced + time);
            foreach (string path in Directory.EnumerateFileSystemEntries(data)
                .Where(path => !s_stays.Contains(Path.GetFileName(path)) && !IsName(Path.GetFileName(path))).ToList())
            {
                Directory.CreateDirectory(replaced, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                Directory.Move(path, Path.Combine(replaced, Path.GetFileName(path)));
            }
            Directory.Move(whole, Path.Combine(data, Entering + time));
        }
        if (Find(data, Entering) is { } entering)
        {
            replaced = Path.Combine(data, Replaced + Path.GetFileName(entering)[Entering.Length..]);
            foreach (string path in Directory.EnumerateFileSystemEntries(entering).ToList())
            {
                Directory.Move(path, Path.Combine(data, Path.GetFileName(path)));
            }
            Directory.Delete(entering);
        }
        return Directory.Exists(replaced) ? replaced : null;
    }

    /// <summary>Refuses a folder whose state could not be put aside.</summary>
    /// <exception cref="InvalidDataException">Something is mounted in it; the message says what to do.</exception>
    public static void Validate(string data)
    {
        if (Directory.EnumerateFileSystemEntries(data).FirstOrDefault(path => !s_stays.Contains(Path.GetFileName(path))
            && FileStatus.Of(path, follow: false) is { IsMount: true }) is { } mount)
        {
            throw new InvalidDataException($"{mount} is mounted, and cannot be put aside: unmount it for the time of the restore");
        }
    }

    private static string? Find(string data, string prefix) => !Directory.Exists(data) ? null
        : Directory.EnumerateDirectories(data, prefix + "*")
            .FirstOrDefault(path => Time().IsMatch(Path.GetFileName(path)[prefix.Length..]));

    /// <summary>What <see cref="Commit"/> calls them; other folders are people's own.</summary>
    [GeneratedRegex(@"\A[0-9]{8}-[0-9]{6}x*\z")]
    private static partial Regex Time();
}
