using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bootstrap.Netboot.Tftp;

/// <summary>What a transfer's options have settled.</summary>
/// <param name="BlockSize">Payload bytes of each DATA packet but the last (RFC 2348).</param>
/// <param name="WindowSize">Blocks sent before an acknowledgement is awaited (RFC 7440).</param>
/// <param name="Timeout">Time before a resend, if the client has set it (RFC 2349); else it is measured.</param>
/// <param name="Size">Bytes of a file that the client is about to send, if it told (RFC 2349).</param>
/// <param name="Acknowledged">The options to confirm; if there are none, no OACK is sent.</param>
public sealed record TftpTerms(int BlockSize, int WindowSize, TimeSpan? Timeout, long? Size,
    IReadOnlyList<KeyValuePair<string, string>> Acknowledged)
{
    /// <summary>Larger blocks would be cut into IP fragments on Ethernet, which boot ROMs reassemble badly or not at all: 1500 − 20 − 8 −
    /// 4.</summary>
    public const int LargestBlock = 1468;

    /// <summary>
    /// Most bytes in flight. More than a client's socket buffer holds would be lost, and a transfer keeps what is in flight in memory.
    /// </summary>
    public const int LargestFlight = 48 * 1024;

    private const int DefaultBlock = 512;
    private const int HeaderSize = 4;

    /// <summary>
    /// Settles the options of a request. Unknown ones are passed over (RFC 2347); a Pi 4 ignores what it gets without an OACK, so every
    /// known one is confirmed. False with a reason if a value is not one that its RFC allows: the answer is error 8.
    /// </summary>
    /// <param name="asked">The request's options, names in lower case.</param>
    /// <param name="length">Bytes of the file; null if they are not known before it is sent (netascii): tsize is then left out.</param>
    /// <param name="isUpload">The client sends: tsize is its own, and is returned.</param>
    /// <param name="terms">What is settled.</param>
    /// <param name="reason">What is wrong.</param>
    public static bool TryNegotiate(
        IReadOnlyList<KeyValuePair<string, string>> asked, long? length, bool isUpload, [NotNullWhen(true)] out TftpTerms? terms,
        out string reason)
    {
        terms = null;
        reason = "";
        long block = DefaultBlock, window = 1;
        long? timeout = null, size = null;
        var names = new List<string>();
        foreach ((string name, string text) in asked)
        {
            (long least, long most) = name switch
            {
                "blksize" => (8, 65464),
                "timeout" => (1, 255),
                "tsize" => (0, long.MaxValue),
                "windowsize" => (1, 65535),
                _ => (0, -1),
            };
            if (most < 0 || names.Contains(name))
            {
                continue;
            }
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) || value < least || value > most)
            {
                reason = $"option {name} must be a number from {least} to {most}";
                return false;
            }
            switch (name)
            {
                case "blksize":
                    block = Math.Min(value, LargestBlock);
                    break;
                case "timeout":
                    timeout = value;
                    break;
                case "tsize":
                    size = isUpload ? value : length;
                    break;
                default:
                    window = value;
                    break;
            }
            names.Add(name);
        }
        window = Math.Min(window, LargestFlight / (block + HeaderSize));
        var acknowledged = new List<KeyValuePair<string, string>>();
        foreach (string name in names)
        {
            long? value = name switch { "blksize" => block, "timeout" => timeout, "tsize" => size, _ => window };
            if (value is { } number)
            {
                acknowledged.Add(new(name, number.ToString(CultureInfo.InvariantCulture)));
            }
        }
        terms = new TftpTerms((int)block, (int)window, timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null, isUpload ? size
            : null, acknowledged);
        return true;
    }
}
