using System.Buffers;
using System.Net.Sockets;

namespace Bootstrap.Netboot.Tftp;

/// <summary>Sends one file, from the first reply to the last acknowledgement.</summary>
internal sealed class TftpDownload(TransferPort port, TransferLoop loop, BootFile file, TftpTerms terms, bool asText)
{
    // Boot programs before the EEPROM of 2025-09-23 cannot count on behind this block.
    private const long CounterEnd = ushort.MaxValue;

    // Small windows are read several at a time.
    private const int AheadBytes = 8 * 1024;

    private readonly NetasciiEncoder? _text = asText ? new NetasciiEncoder(file) : null;
    private readonly int _packetSize = TftpPacket.HeaderSize + terms.BlockSize;

    // Block n holds bytes (n − 1) × size and up; the last is shorter than the others, so a multiple of the size ends with an empty one.
    // Block 0 is the OACK. Counted in 64 bits here; on the wire the low 16 bits, which roll over to 0.
    private long _confirmed = terms.Acknowledged.Count > 0 ? -1 : 0;
    private long _loaded;
    private long _bytesLoaded;
    private bool _ended;
    private int _filled;

    private byte[] _ahead = [];
    private int _aheadAt;
    private int _aheadEnd;

    /// <summary>Payload bytes that the client has acknowledged.</summary>
    public long Acknowledged => _ended && _confirmed == _loaded ? _bytesLoaded : Math.Max(_confirmed, 0) * terms.BlockSize;

    /// <summary>Sends the file, on the loop's thread.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="SocketException">The client has closed its port, or the network refuses to send.</exception>
    /// <exception cref="OperationCanceledException">The service stops.</exception>
    public async Task<(TftpOutcome Outcome, string? Detail)> RunAsync()
    {
        // What is sent and not yet confirmed, one packet behind the other as the kernel takes them.
        byte[] window = ArrayPool<byte>.Shared.Rent(terms.WindowSize * _packetSize);
        try
        {
            _ahead = terms.WindowSize * terms.BlockSize < AheadBytes ? ArrayPool<byte>.Shared.Rent(AheadBytes) : [];
            await loop.EnterAsync(port);
            var timer = new RetryTimer();
            int sends = 0;
            bool proven = false; // what comes back comes from where the request said; until then there is one packet, never a window
            while (!(_ended && _confirmed == _loaded))
            {
                sends++;
                if (sends > 1 && port.IsForsaken)
                {
                    // Nothing is repeated: what the client waits for is something else.
                }
                else if (_confirmed < 0)
                {
                    port.Send(TftpPacket.OptionAck(terms), TftpPacket.LargestOptionAck);
                }
                else
                {
                    Fill(window);
                    port.Send(window.AsSpan(0, _filled), _packetSize);
                }

                long sentAt = loop.Clock.GetTimestamp();
                long before = _confirmed;
                bool mayBeUrged = terms.WindowSize > 1 && sends == 1;
                // One block at a time, an acknowledgement of what is confirmed already is ignored, never answered with a block (the
                // Sorcerer's Apprentice, RFC 1123 §4.2.3.1; it could hang a Pi 4, raspberrypi/firmware#1631): only silence makes a resend.
                // With windows it is how a client says that the first block is missing (RFC 7440 §4): the window comes again, once. One
                // within the window says that the rest was lost.
                while (_confirmed == before)
                {
                    int received = await port.ReceiveAsync(timer.Wait(sends, terms.Timeout) - loop.Clock.GetElapsedTime(sentAt));
                    if (received < 0)
                    {
                        break;
                    }
                    if (!TftpPacket.TryRead(loop.Packet.AsSpan(0, received), out TftpOpcode opcode, out ushort number))
                    {
                        continue;
                    }
                    if (opcode == TftpOpcode.Error)
                    {
                        return (_confirmed <= 0 ? TftpOutcome.Probed : TftpOutcome.Aborted,
                            TftpPacket.DescribeError(loop.Packet.AsSpan(0, received)) + Hint());
                    }
                    if (opcode == TftpOpcode.Ack && TftpPacket.Expand(number, before, Math.Max(_loaded, 0)) is { } block)
                    {
                        _confirmed = block;
                    }
                    else if (opcode == TftpOpcode.Ack && mayBeUrged && before >= 0 && number == (ushort)before)
                    {
                        break;
                    }
                }
                if (_confirmed > before)
                {
                    // Of resent packets no round trip is measured (Karn).
                    timer = sends == 1 ? timer.With(loop.Clock.GetElapsedTime(sentAt)) : timer;
                    Drop(window, before);
                    proven = true;
                    sends = 0;
                }
                else if (sends == (proven ? RetryTimer.MaxSends : RetryTimer.MaxUnprovenSends))
                {
                    return (TftpOutcome.TimedOut, $"no acknowledgement of block {_confirmed + 1} after {sends} sends{Hint()}");
                }
            }
            return (TftpOutcome.Completed, null);
        }
        finally
        {
            loop.Remove(port);
            ArrayPool<byte>.Shared.Return(window);
            if (_ahead.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_ahead);
            }
        }
    }

    /// <summary>Reads blocks behind those that are not confirmed yet, up to a whole window.</summary>
    private void Fill(Span<byte> window)
    {
        while (!_ended && _loaded - _confirmed < terms.WindowSize)
        {
            Span<byte> packet = window.Slice(_filled, _packetSize);
            int length = Read(packet[TftpPacket.HeaderSize..]);
            TftpPacket.WriteHeader(packet, TftpOpcode.Data, (ushort)++_loaded);
            _filled += TftpPacket.HeaderSize + length;
            _bytesLoaded += length;
            _ended = length < terms.BlockSize;
        }
    }

    private int Read(Span<byte> block)
    {
        if (_text is not null)
        {
            return _text.Read(block);
        }
        block = block[..(int)Math.Min(block.Length, file.Length - _bytesLoaded)];
        if (_ahead.Length == 0)
        {
            ReadExactly(_bytesLoaded, block);
            return block.Length;
        }
        for (int done = 0; done < block.Length;)
        {
            if (_aheadAt == _aheadEnd)
            {
                (_aheadAt, _aheadEnd) = (0, (int)Math.Min(AheadBytes, file.Length - _bytesLoaded - done));
                ReadExactly(_bytesLoaded + done, _ahead.AsSpan(0, _aheadEnd));
            }
            int count = Math.Min(block.Length - done, _aheadEnd - _aheadAt);
            _ahead.AsSpan(_aheadAt, count).CopyTo(block[done..]);
            _aheadAt += count;
            done += count;
        }
        return block.Length;
    }

    private void ReadExactly(long offset, Span<byte> target)
    {
        if (file.ReadAt(offset, target) != target.Length)
        {
            throw new EndOfStreamException($"the file has become shorter than its {file.Length} bytes");
        }
    }

    /// <summary>Takes what is confirmed now out of the window.</summary>
    private void Drop(Span<byte> window, long before)
    {
        int done = (int)Math.Min((_confirmed - Math.Max(before, 0)) * _packetSize, _filled);
        window[done.._filled].CopyTo(window);
        _filled -= done;
    }

    private string Hint() => _confirmed >= CounterEnd - 1 && _confirmed <= CounterEnd + 1 && !_ended
        ? "; it stopped at block 65535, behind which many boot programs cannot count: the file must stay below " +
            $"{CounterEnd * terms.BlockSize} bytes for it"
        : "";
}
