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
    /// <summary>
    /// Blocks of more would be cut into IP fragments on Ethernet, which boot ROMs reassemble badly or not at all: 1500 − 20 − 8 − 4. Where
    /// the route carries less, less is granted.
    /// </summary>
    public const int LargestBlock = 1468;

    /// <summary>
    /// Most bytes in flight. More than a client's socket buffer holds would be lost, and a transfer keeps what is in flight in memory.
    /// </summary>
    public const int LargestFlight = 48 * 1024;

    private const int DefaultBlock = 512, SmallestBlock = 8;
    private const int HeaderSize = 4;

    /// <summary>
    /// Settles the options of a request. What is asked beyond what is served is answered by what is; unknown options, values that their
    /// RFC does not know, and an option's second time are passed over, as if they had not been asked for (RFC 2347). A Pi 4 ignores what it
    /// gets without an OACK, so every other one is confirmed.
    /// </summary>
    /// <param name="asked">The request's options, names in lower case.</param>
    /// <param name="length">Bytes of the file; null if they are not known before it is sent (netascii): tsize is then left out.</param>
    /// <param name="isUpload">The client sends: tsize is its own, and is returned.</param>
    /// <param name="largestPacket">Bytes of the largest packet that comes to the client in one piece.</param>
    public static TftpTerms Negotiate(IReadOnlyList<KeyValuePair<string, string>> asked, long? length, bool isUpload,
        int largestPacket = HeaderSize + LargestBlock)
    {
        int largest = Math.Clamp(largestPacket - HeaderSize, SmallestBlock, LargestBlock);
        var settled = new OrderedDictionary<string, long>();
        foreach ((string name, string text) in asked.DistinctBy(option => option.Key))
        {
            long? value = (name, Number(text)) switch
            {
                ("blksize", >= SmallestBlock and var size) => Math.Min(size, largest), // never more than was asked for (RFC 2348)
                ("windowsize", >= 1 and var blocks) => blocks,
                ("timeout", >= 1 and <= 255 and var seconds) => seconds,
                ("tsize", var size) => isUpload ? size : length,
                _ => null,
            };
            if (value is { } number)
            {
                settled.Add(name, number);
            }
        }
        int block = (int)settled.GetValueOrDefault("blksize", DefaultBlock);
        if (settled.TryGetValue("windowsize", out long window))
        {
            settled["windowsize"] = Math.Min(window, LargestFlight / (block + HeaderSize));
        }
        return new TftpTerms(block, (int)settled.GetValueOrDefault("windowsize", 1),
            settled.TryGetValue("timeout", out long timeout) ? TimeSpan.FromSeconds(timeout) : null,
            isUpload && settled.TryGetValue("tsize", out long told) ? told : null,
            [.. settled.Select(option => KeyValuePair.Create(option.Key, option.Value.ToString(CultureInfo.InvariantCulture)))]);
    }

    /// <summary>Decimal digits; what is too large for all purposes is as large as can be. Null for anything else.</summary>
    private static long? Number(string text) =>
        text.Length == 0 || !text.All(char.IsAsciiDigit) ? null :
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : long.MaxValue;
}
