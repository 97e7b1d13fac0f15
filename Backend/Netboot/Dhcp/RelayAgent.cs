using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>What a relay says of itself (option 82, RFC 3046), as far as answers depend on it.</summary>
/// <param name="Link">The link that the client is on, where giaddr is another's address (sub-option 5, RFC 3527).</param>
/// <param name="Server">What clients are to take for their server, so that renewals too come by the relay (sub-option 11,
/// RFC 5107).</param>
public readonly record struct RelayAgent(IPAddress? Link, IPAddress? Server)
{
    private const byte LinkSelection = 5, ServerIdentifierOverride = 11;

    /// <summary>Reads a message.</summary>
    public static RelayAgent Of(DhcpMessage message) =>
        message.Find(DhcpOptionCode.RelayAgentInformation) is { } data
            ? new RelayAgent(Address(data.Span, LinkSelection), Address(data.Span, ServerIdentifierOverride))
            : default;

    private static IPAddress? Address(ReadOnlySpan<byte> data, byte code) =>
        SubOption.TryFind(data, code, out ReadOnlySpan<byte> address) && address.Length == 4 ? new IPAddress(address) : null;
}
