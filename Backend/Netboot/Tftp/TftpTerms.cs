using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bootstrap.Netboot.Tftp;

/// <summary>What a transfer's options have settled.</summary>
/// <param name="BlockSize">Payload bytes of each DATA packet but the last (RFC 2348).</param>
/// <param name="WindowSize">Blocks sent before an acknowledgement is awaited (RFC 7440).</param>
/// <param name="Timeout">Time before a resend, if the client has set it (RFC 2349); else it is measured.</param>
/// <param name="Acknowledged">The options to confirm; if there are none, no OACK is sent.</param>
public sealed record TftpTerms(int BlockSize, int WindowSize, TimeSpan? Timeout, IReadOnlyList<KeyValuePair<string, string>> Acknowledged)
{
    /// <summary>Larger blocks would be cut into IP fragments on Ethernet, which boot ROMs reassemble badly or not at all: 1500 − 20 − 8 − 4.</summary>
    public const int LargestBlock = 1468;

    /// <summary>More in flight than a client's socket buffer holds would be lost: 64 KiB.</summary>
    public const int LargestWindow = 65536 / (LargestBlock + 4);

    private const int DefaultBlock = 512;

    /// <summary>
    /// Settles the options of a request. Unknown ones are passed over (RFC 2347); a Pi 4 ignores what it gets without an OACK, so every known one is
    /// confirmed. False with a reason if a value is not one that its RFC allows: the answer is error 8.
    /// </summary>
    public static bool TryNegotiate(
        IReadOnlyList<KeyValuePair<string, string>> asked, long fileLength, [NotNullWhen(true)] out TftpTerms? terms, out string reason)
    {
        terms = null;
        reason = "";
        int block = DefaultBlock, window = 1;
        TimeSpan? timeout = null;
        var acknowledged = new List<KeyValuePair<string, string>>();
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
            if (most < 0 || acknowledged.Exists(a => a.Key == name))
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
                    value = block = (int)Math.Min(value, LargestBlock);
                    break;
                case "timeout":
                    timeout = TimeSpan.FromSeconds(value);
                    break;
                case "tsize":
                    value = fileLength;
                    break;
                default:
                    value = window = (int)Math.Min(value, LargestWindow);
                    break;
            }
            acknowledged.Add(new(name, value.ToString(CultureInfo.InvariantCulture)));
        }
        terms = new TftpTerms(block, window, timeout, acknowledged);
        return true;
    }
}
