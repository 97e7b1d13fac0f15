using System.Buffers.Binary;
using System.Net.Security;
using System.Threading.Channels;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Relay;

/// <summary>
/// A connection to another relay: discovery messages either way, each behind its length in bytes (16 bits, big-endian). An empty one says
/// that the sender is still there.
/// </summary>
/// <param name="stream">TLS, with both sides known to each other; the link closes it.</param>
/// <param name="peer">The other relay's id.</param>
/// <param name="clock">Times the signs of life.</param>
public sealed class RelayLink(SslStream stream, string peer, TimeProvider clock)
{
    /// <summary>Messages that wait to be sent; more are dropped: discovery repeats itself.</summary>
    private const int MaximumWaiting = 2048;

    private static readonly TimeSpan s_signPeriod = TimeSpan.FromSeconds(5), s_patience = TimeSpan.FromSeconds(15);

    private readonly Channel<byte[]> _waiting =
        Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(MaximumWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>The other relay's id.</summary>
    public string Peer { get; } = peer;

    /// <summary>Sends one, some time soon; what is too long for a datagram is dropped here.</summary>
    public void Send(byte[] bytes)
    {
        if (bytes.Length <= DiscoveryMessage.MaximumBytes)
        {
            _waiting.Writer.TryWrite(bytes);
        }
    }

    /// <summary>Hands on what comes, with its length in bytes, until the link ends.</summary>
    /// <exception cref="IOException">The other side is gone, was silent for too long, or does not keep to the form.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task RunAsync(Action<DiscoveryMessage, int> received, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] both = [ReceiveAsync(received, stop.Token), SendAsync(stop.Token)];
        try
        {
            await (await Task.WhenAny(both).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReceiveAsync(Action<DiscoveryMessage, int> received, CancellationToken stop)
    {
        byte[] buffer = new byte[DiscoveryMessage.MaximumBytes];
        while (true)
        {
            using var patience = new CancellationTokenSource(s_patience, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
            int length;
            try
            {
                await stream.ReadExactlyAsync(buffer.AsMemory(0, sizeof(ushort)), either.Token).ConfigureAwait(false);
                length = BinaryPrimitives.ReadUInt16BigEndian(buffer);
                if (length > DiscoveryMessage.MaximumBytes)
                {
                    throw new IOException($"a message of {length} bytes, where at most {DiscoveryMessage.MaximumBytes} are allowed");
                }
                await stream.ReadExactlyAsync(buffer.AsMemory(0, length), either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new IOException($"nothing was heard for {s_patience.TotalSeconds:0} s");
            }
            if (DiscoveryMessage.Read(buffer.AsSpan(0, length)) is { } message)
            {
                received(message, length);
            }
        }
    }

    private async Task SendAsync(CancellationToken stop)
    {
        byte[] head = new byte[sizeof(ushort)];
        while (true)
        {
            byte[] bytes = await NextAsync(stop).ConfigureAwait(false);
            BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)bytes.Length);
            await stream.WriteAsync(head, stop).ConfigureAwait(false);
            await stream.WriteAsync(bytes, stop).ConfigureAwait(false);
        }
    }

    /// <summary>The next message to send; an empty one where there is none for some time.</summary>
    private async Task<byte[]> NextAsync(CancellationToken stop)
    {
        using var period = new CancellationTokenSource(s_signPeriod, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(period.Token, stop);
        try
        {
            return await _waiting.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return [];
        }
    }
}
