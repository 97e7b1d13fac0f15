using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// Who is logged in: what systemd-logind keeps of its sessions (sd-login(3), /run/systemd/sessions), or, without it, /run/utmp (utmp(5)),
/// which systems since Debian 13 no longer have.
/// </summary>
internal sealed class UserSource(string root) : ISource
{
    private const int MostSessions = 1024, LongestSession = 4096, LongestUtmp = 512 << 10, MostShown = 16;

    /// <summary>Of a record of utmp: its kind, its process, and the name of the user. On 64-bit Arm its times have 64 bits, and it is
    /// longer.</summary>
    private const int ProcessAt = 4, UserAt = 44, UserLength = 32;

    private const short UserProcess = 7;

    private readonly string _sessions = Path.Combine(root, "run/systemd/sessions"), _utmp = Path.Combine(root, "run/utmp");
    private int? _count;

    private static int RecordLength => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 400 : 384;

    /// <summary>Their names, for people; null: nobody.</summary>
    public string? Names { get; private set; }

    public void Scan()
    {
        // All of it is read seldom anyway.
    }

    public void Read(Sample sample)
    {
        if (sample.IsSlow)
        {
            SortedSet<string>? users = Directory.Exists(_sessions) ? FromSessions() : File.Exists(_utmp) ? FromUtmp() : null;
            _count = users?.Count;
            Names = users is { Count: > 0 } ? string.Join(", ", users.Take(MostShown)) + (users.Count > MostShown ? ", …" : "") : null;
        }
        sample.Set(Metrics.Users, _count);
    }

    private SortedSet<string> FromSessions()
    {
        var users = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string name in KeptFile.NamesIn(_sessions, MostSessions).Where(name => !name.EndsWith(".ref", StringComparison.Ordinal)))
        {
            // Variables: USER=pi, CLASS=user, STATE=active. Greeters and service managers are of other classes.
            string[] lines = KeptFile.TextOf(Path.Combine(_sessions, name), LongestSession)?.Split('\n') ?? [];
            string? user = Field(lines, "USER="), kind = Field(lines, "CLASS=");
            if (user is not null && (kind ?? "user") is "user" or "user-early" or "user-light" or "user-incomplete" &&
                Field(lines, "STATE=") != "closing")
            {
                users.Add(Words.Shown(user));
            }
        }
        return users;
    }

    private static string? Field(string[] lines, string name) =>
        Array.Find(lines, line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim() is { Length: > 0 } value
            ? value : null;

    private SortedSet<string> FromUtmp()
    {
        var users = new SortedSet<string>(StringComparer.Ordinal);
        using var file = new KeptFile(_utmp);
        byte[] record = new byte[RecordLength];
        for (long at = 0; at < LongestUtmp && file.Read(record, at) == record.Length; at += record.Length)
        {
            ReadOnlySpan<byte> user = record.AsSpan(UserAt, UserLength);
            int length = user.IndexOf((byte)0);
            user = length < 0 ? user : user[..length];
            int process = BinaryPrimitives.ReadInt32LittleEndian(record.AsSpan(ProcessAt));
            // Who was cut off has left a record, but no process.
            if (BinaryPrimitives.ReadInt16LittleEndian(record) == UserProcess && user.Length > 0 &&
                Directory.Exists(Path.Combine(root, "proc", process.ToString(CultureInfo.InvariantCulture))))
            {
                users.Add(Words.Shown(Encoding.UTF8.GetString(user)));
            }
        }
        return users;
    }

    public void Write(MetricsWriter writer)
    {
        if (_count is { } count)
        {
            writer.Single("bootstrap_users", "gauge", "Users who are logged in.", count);
        }
    }

    public void Dispose()
    {
        // It keeps no file open.
    }
}
