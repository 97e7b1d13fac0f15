using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bootstrap.Netboot.Tftp;

/// <summary>One read request from its first reply to its last acknowledgement. Owns a socket on a port of its own (RFC 1350 §4).</summary>
internal sealed class TftpTransfer(IPEndPoint client, IPAddress local, IBootFiles files, TimeProvider clock) : IDisposable
{
    private const int HeaderSize = 4;

    private readonly Socket _socket = new(client.AddressFamily, SocketType.Dgram, ProtocolType.Udp);

    /// <summary>Serves the request.</summary>
    /// <exception cref="OperationCanceledException">The service stops.</exception>
    public async Task<TftpSighting> RunAsync(TftpRequest request, CancellationToken cancel)
    {
        var who = new BootClient(client.Address, NeighbourTable.Find(client.Address));
        string path = request.Path;
        byte[] packet = ArrayPool<byte>.Shared.Rent(HeaderSize + TftpTerms.LargestBlock);
        long acknowledged = 0;
        try
        {
            // Clients check that the reply comes from the address that they asked; connected, the kernel drops what others send.
            _socket.Bind(new IPEndPoint(local, 0));
            _socket.Connect(client);

            if (request.Opcode == TftpOpcode.WriteRequest)
            {
                return await RefuseAsync(TftpError.AccessViolation, "nothing can be written here");
            }
            if (request.Mode != "octet")
            {
                return await RefuseAsync(TftpError.IllegalOperation, "files are served in octet (binary) mode alone");
            }
            if (!BootPath.TryNormalise(request.Path, out string? normal))
            {
                return await RefuseAsync(TftpError.AccessViolation, "this path is not allowed");
            }
            path = normal;
            using BootFile? file = files.Find(who, path);
            if (file is null)
            {
                await SendErrorAsync(TftpError.FileNotFound, "no such file");
                return new TftpSighting(who, path, TftpOutcome.NotFound, 0, null);
            }
            if (!TftpTerms.TryNegotiate(request.Options, file.Length, out TftpTerms? terms, out string reason))
            {
                return await RefuseAsync(TftpError.BadOptions, reason);
            }

            // Block n holds bytes (n − 1) × size and up; the last is shorter than the others, so a multiple of the size ends with an empty one.
            // Block 0 is the OACK. Counted in 64 bits here; on the wire the low 16 bits, which roll over to 0.
            long lastBlock = file.Length / terms.BlockSize + 1;
            long confirmed = terms.Acknowledged.Count > 0 ? -1 : 0;
            long sent = confirmed; // highest block ever sent: beyond it nothing can have been acknowledged
            int sends = 0;
            var timer = new RetryTimer();
            while (confirmed < lastBlock)
            {
                long windowEnd = confirmed < 0 ? 0 : Math.Min(confirmed + terms.WindowSize, lastBlock);
                sends++;
                for (long block = confirmed + 1; block <= windowEnd; block++)
                {
                    int length = block == 0 ? WriteOptionAck(packet, terms) : WriteData(packet, file, block, terms.BlockSize);
                    await _socket.SendAsync(packet.AsMemory(0, length), cancel);
                }
                sent = Math.Max(sent, windowEnd);

                long sentAt = clock.GetTimestamp();
                long before = confirmed;
                // An acknowledgement of what is confirmed already is ignored, never answered with a block (the Sorcerer's Apprentice,
                // RFC 1123 §4.2.3.1): only silence makes a resend. One within the window says that the rest was lost (RFC 7440 §4).
                while (confirmed == before)
                {
                    TimeSpan left = timer.Wait(sends, terms.Timeout) - clock.GetElapsedTime(sentAt);
                    int received = await ReceiveAsync(packet, left, cancel);
                    if (received < 0)
                    {
                        break;
                    }
                    if (received < HeaderSize || packet[0] != 0)
                    {
                        continue;
                    }
                    if (packet[1] == (byte)TftpOpcode.Error)
                    {
                        return new TftpSighting(who, path, confirmed <= 0 ? TftpOutcome.Probed : TftpOutcome.Aborted,
                            acknowledged, ErrorText(packet.AsSpan(0, received)));
                    }
                    ushort number = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2));
                    if (packet[1] == (byte)TftpOpcode.Ack && Expand(number, before, sent) is { } block && block > before)
                    {
                        confirmed = block;
                    }
                }
                if (confirmed > before)
                {
                    acknowledged = Math.Min(Math.Max(confirmed, 0) * terms.BlockSize, file.Length);
                    timer = sends == 1 ? timer.With(clock.GetElapsedTime(sentAt)) : timer;
                    sends = 0;
                }
                else if (sends == RetryTimer.MaxSends)
                {
                    return new TftpSighting(who, path, TftpOutcome.TimedOut, acknowledged,
                        $"no acknowledgement of block {confirmed + 1} of {lastBlock} after {sends} sends");
                }
            }
            return new TftpSighting(who, path, TftpOutcome.Completed, acknowledged, null);
        }
        catch (IOException reason)
        {
            await SendErrorAsync(TftpError.NotDefined, "the file cannot be read");
            return new TftpSighting(who, path, TftpOutcome.Failed, acknowledged, $"reading {path}: {reason.Message}");
        }
        catch (SocketException reason)
        {
            // ICMP "port unreachable": the client has closed its socket, which some do instead of sending an error.
            return new TftpSighting(who, path, reason.SocketErrorCode == SocketError.ConnectionRefused ? TftpOutcome.Aborted : TftpOutcome.Failed,
                acknowledged, reason.Message);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packet);
        }

        async Task<TftpSighting> RefuseAsync(TftpError error, string reason)
        {
            await SendErrorAsync(error, reason);
            return new TftpSighting(who, path, TftpOutcome.Refused, 0, reason);
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The block in (after, sent] or the one at <paramref name="after"/> whose low 16 bits these are; null if there is none.</summary>
    internal static long? Expand(ushort number, long after, long sent)
    {
        long block = after + (ushort)(number - after);
        return block <= sent ? block : null;
    }

    private static int WriteOptionAck(Span<byte> packet, TftpTerms terms)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.OptionAck);
        int at = 2;
        foreach ((string name, string value) in terms.Acknowledged)
        {
            at += Encoding.ASCII.GetBytes(name, packet[at..]);
            packet[at++] = 0;
            at += Encoding.ASCII.GetBytes(value, packet[at..]);
            packet[at++] = 0;
        }
        return at;
    }

    private static int WriteData(Span<byte> packet, BootFile file, long block, int size)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Data);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)block);
        long offset = (block - 1) * size;
        int length = (int)Math.Min(size, file.Length - offset);
        if (file.ReadAt(offset, packet.Slice(HeaderSize, length)) != length)
        {
            throw new EndOfStreamException($"the file has become shorter than its {file.Length} bytes");
        }
        return HeaderSize + length;
    }

    private static string ErrorText(ReadOnlySpan<byte> packet) =>
        $"the client sent error {packet[3]}: {Encoding.ASCII.GetString(packet[HeaderSize..]).TrimEnd('\0')}";

    /// <summary>Errors are sent once and never acknowledged (RFC 1350 §7); one that cannot be sent is as good as lost.</summary>
    private async Task SendErrorAsync(TftpError code, string text)
    {
        byte[] packet = new byte[HeaderSize + text.Length + 1];
        packet[1] = (byte)TftpOpcode.Error;
        packet[3] = (byte)code;
        Encoding.ASCII.GetBytes(text, packet.AsSpan(HeaderSize));
        try
        {
            await _socket.SendAsync(packet, SocketFlags.None);
        }
        catch (SocketException)
        {
        }
    }

    /// <summary>One datagram, or −1 if none comes in time.</summary>
    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, TimeSpan patience, CancellationToken cancel)
    {
        if (patience <= TimeSpan.Zero)
        {
            return -1;
        }
        using var timeout = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        try
        {
            return await _socket.ReceiveAsync(buffer, either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return -1;
        }
    }
}
