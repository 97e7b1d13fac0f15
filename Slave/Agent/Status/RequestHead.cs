using System.Text;

namespace Bootstrap.Agent.Status;

/// <summary>
/// The head of a request of HTTP/1.1 (RFC 9112, 2 to 5) without a body: all that a node's status needs. It comes from anybody, is bounded,
/// and is refused where it is not strictly of that form. Kestrel would cost a third of the memory that the whole program may have.
/// </summary>
/// <param name="Method">As sent.</param>
/// <param name="Path">Of the target, before a question mark.</param>
/// <param name="Query">Behind it; not decoded.</param>
/// <param name="Fields">By name, whatever its case; of a name that came twice, the first.</param>
internal sealed record RequestHead(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Fields)
{
    /// <summary>A longer head is refused.</summary>
    public const int MaximumBytes = 8 << 10;

    private const int MostFields = 64;

    /// <summary>Reads one.</summary>
    /// <returns>Null where it is too long, not of this form, or has a body.</returns>
    public static async Task<RequestHead?> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        byte[] buffer = new byte[MaximumBytes];
        for (int length = 0; length < buffer.Length;)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return null;
            }
            int from = Math.Max(0, length - 3);
            length += read;
            int end = buffer.AsSpan(from, length - from).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                // Nobody has anything to say before there was an answer.
                return from + end + 4 == length ? Parse(buffer.AsSpan(0, from + end)) : null;
            }
        }
        return null;
    }

    /// <summary>The value of a field; empty where it was not sent.</summary>
    public string Field(string name) => Fields.GetValueOrDefault(name, "");

    /// <summary>Whether one of the words of a field is this one.</summary>
    public bool HasWord(string name, string word) => Words(name).Contains(word, StringComparer.OrdinalIgnoreCase);

    /// <summary>The words of a field, between commas.</summary>
    public string[] Words(string name) => Field(name).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <param name="head">Without the empty line.</param>
    internal static RequestHead? Parse(ReadOnlySpan<byte> head)
    {
        foreach (byte b in head)
        {
            if (b is < 0x20 and not (byte)'\r' and not (byte)'\n' and not (byte)'\t' or > 0x7e)
            {
                return null;
            }
        }
        string[] lines = Encoding.ASCII.GetString(head).Split("\r\n");
        if (lines[0].Split(' ') is not [{ Length: > 0 } method, ['/', ..] target, "HTTP/1.1"] || lines.Length > MostFields + 1)
        {
            return null;
        }
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines.AsSpan(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAny(" \t\r\n") || line.AsSpan(colon).ContainsAny('\r', '\n'))
            {
                return null;
            }
            fields.TryAdd(line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
        }
        if (fields.ContainsKey("Transfer-Encoding") || fields.GetValueOrDefault("Content-Length", "0") != "0")
        {
            return null;
        }
        int question = target.IndexOf('?', StringComparison.Ordinal);
        return question < 0 ? new RequestHead(method, target, "", fields)
            : new RequestHead(method, target[..question], target[(question + 1)..], fields);
    }
}
