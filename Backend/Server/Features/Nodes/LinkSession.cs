using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Threading.Channels;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Trust;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>One node's connection. Whoever sends never waits: a node that does not read is cut off and comes back.</summary>
/// <param name="node">Whom the certificate names.</param>
/// <param name="key">The key that it has proven to hold.</param>
/// <param name="certifiedName">The node's name by the certificate that it showed; null where that has none.</param>
/// <param name="address">The node's.</param>
/// <param name="localAddress">The appliance's, as the node sees it.</param>
/// <param name="socket">Stays the caller's.</param>
public sealed class LinkSession(NodeId node, PublicKey key, string? certifiedName, IPAddress address, IPAddress localAddress,
    WebSocket socket)
{
    private readonly Channel<LinkMessage> _outgoing = Channel.CreateBounded<LinkMessage>(256);
    private readonly CancellationTokenSource _cut = new();

    /// <summary>A node may send so many bytes at once, such as the log of an installation, and so many in each second on the
    /// whole.</summary>
    private const int AllowanceBytes = 4 << 20, AllowancePerSecond = 256 << 10;

    private double _allowance = AllowanceBytes;
    private long _spentAt = TimeProvider.System.GetTimestamp();

    public NodeId Node => node;

    internal PublicKey PublicKey => key;

    /// <summary>Fingerprint of the key.</summary>
    public Digest Key { get; } = Protocol.Trust.FingerprintOf(key);

    /// <summary>What the node is called by the newest certificate that it has.</summary>
    public string? CertifiedName { get; private set; } = certifiedName;

    public IPAddress Address => address;

    public IPAddress LocalAddress => localAddress;

    /// <summary>A system that runs has the node's name in its certificate, by which other machines list it: a new one for the same key
    /// where it is another.</summary>
    internal void Certify(CertificateAuthority authority, string name)
    {
        if (Hello?.Role == NodeRole.Slave && CertifiedName != name)
        {
            using X509Certificate2 certificate = authority.IssueNode(node, name, key);
            Send(new NodeCertificate(certificate.RawData));
            CertifiedName = name;
        }
    }

    /// <summary>What it introduced itself with.</summary>
    public Hello? Hello { get; set; }

    /// <summary>The system that introduced itself on trial is the one that stays.</summary>
    public void Committed() => Hello = Hello! with { OnTrial = false };

    public Health? Health { get; set; }

    /// <summary>The log has it that this node is newer than the appliance.</summary>
    public bool SaidUnknown { get; set; }

    /// <summary>The rules of alerts that it looks at, as they were sent.</summary>
    public string? AlertRules { get; set; }

    /// <summary>Why it left, if it said so.</summary>
    public string? Goodbye { get; set; }

    public LinkState State => Hello?.Role switch
    {
        NodeRole.NetInst => LinkState.NetInst,
        NodeRole.Slave => LinkState.Slave,
        _ => LinkState.Offline,
    };

    /// <summary>Hears what the node is told; must not block.</summary>
    public Action<LinkMessage>? Sending { get; set; }

    /// <summary>Queues a message.</summary>
    public void Send(LinkMessage message)
    {
        Sending?.Invoke(message);
        if (!_outgoing.Writer.TryWrite(message))
        {
            Cut();
        }
    }

    /// <summary>Ends the connection at once.</summary>
    public void Cut() => _cut.Cancel();

    /// <summary>Sends what is queued until the connection ends, and ends it where nothing can be sent any more: the node comes back, and is
    /// told anew.</summary>
    public async Task SendQueuedAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _cut.Token);
        try
        {
            await foreach (LinkMessage message in _outgoing.Reader.ReadAllAsync(stop.Token))
            {
                byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Default.LinkMessage);
                await socket.SendAsync(json, WebSocketMessageType.Text, true, stop.Token);
            }
        }
        finally
        {
            Cut();
        }
    }

    /// <summary>Waits until a node may be read that has said much: it is not heard faster than this, and loses nothing.</summary>
    private async Task SpendAsync(int bytes, CancellationToken cancellation)
    {
        long now = TimeProvider.System.GetTimestamp();
        _allowance = Math.Min(AllowanceBytes,
            _allowance + TimeProvider.System.GetElapsedTime(_spentAt, now).TotalSeconds * AllowancePerSecond) - bytes;
        _spentAt = now;
        if (_allowance < 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(-_allowance / AllowancePerSecond), TimeProvider.System, cancellation);
        }
    }

    /// <summary>Reads one message; null when the node closed the connection.</summary>
    /// <exception cref="JsonException">What came is no message.</exception>
    /// <exception cref="WebSocketException">The connection broke.</exception>
    /// <param name="most">Bytes of a message; a longer one is none.</param>
    public async Task<LinkMessage?> ReceiveAsync(CancellationToken cancellation, int most = LinkMessage.MaximumBytesOfNode)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _cut.Token);
        // Nodes are silent most of the time: there is no buffer for one that says nothing.
        ValueWebSocketReceiveResult first = await socket.ReceiveAsync(Memory<byte>.Empty, stop.Token);
        if (first.MessageType == WebSocketMessageType.Close)
        {
            return null;
        }
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int length = 0;
            if (first.EndOfMessage)
            {
                throw new JsonException("a message is empty");
            }
            while (true)
            {
                ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(length), stop.Token);
                length += part.Count;
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }
                if (length > most)
                {
                    throw new JsonException($"a message is longer than {most} bytes");
                }
                if (part.EndOfMessage)
                {
                    await SpendAsync(length, stop.Token);
                    return JsonSerializer.Deserialize(buffer.AsSpan(0, length), ProtocolJson.Default.LinkMessage);
                }
                if (length == buffer.Length)
                {
                    byte[] larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
