using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace Bootstrap.Netboot.Tftp;

/// <summary>Takes one file from a client, from the first reply to the last acknowledgement; one that does not arrive whole is
/// deleted.</summary>
internal sealed class TftpUpload(TransferPort port, TransferLoop loop, TftpUploads uploads, FileStream file, TftpTerms terms, bool asText)
{
    private readonly NetasciiDecoder? _text = asText ? new NetasciiDecoder() : null;

    /// <summary>Payload bytes that were taken.</summary>
    public long Received { get; private set; }

    /// <summary>Makes the file: a new one, in the client's own folder.</summary>
    /// <param name="uploads">Where.</param>
    /// <param name="client">Whose folder.</param>
    /// <param name="name">A name without folders.</param>
    /// <param name="file">The file, empty.</param>
    /// <param name="refusal">Why there is none.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static bool TryCreate(
        TftpUploads uploads, BootClient client, string name, [NotNullWhen(true)] out FileStream? file,
        out (TftpError Code, string Reason) refusal)
    {
        file = null;
        refusal = default;
        if (name.Contains('/'))
        {
            refusal = (TftpError.AccessViolation, "a name without folders is wanted");
            return false;
        }
        DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(uploads.Folder,
            client.Mac?.ToString('-') ?? client.Address.ToString().Replace(':', '-')));
        if (folder.EnumerateFileSystemInfos().Take(uploads.MaxFiles).Count() == uploads.MaxFiles)
        {
            refusal = (TftpError.DiskFull, $"there are {uploads.MaxFiles} files of this client already");
            return false;
        }
        string path = Path.Combine(folder.FullName, name);
        try
        {
            // O_CREAT | O_EXCL: never through a link, never over a file.
            file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            return true;
        }
        catch (IOException) when (Path.Exists(path))
        {
            refusal = (TftpError.FileExists, "there is such a file already");
            return false;
        }
    }

    /// <summary>Takes the file, on the loop's thread.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="SocketException">The client has closed its port, or the network refuses to send.</exception>
    /// <exception cref="OperationCanceledException">The service stops.</exception>
    public async Task<(TftpOutcome Outcome, string? Detail)> RunAsync()
    {
        bool whole = false;
        try
        {
            await loop.EnterAsync(port);
            byte[] first = terms.Acknowledged.Count > 0 ? TftpPacket.OptionAck(terms) : [0, (byte)TftpOpcode.Ack, 0, 0];
            byte[] reply = new byte[TftpPacket.HeaderSize];
            var timer = new RetryTimer();
            long block = 0; // the last that was taken
            long replied = 0;
            int sends = 1;
            port.Send(first, first.Length);
            long sentAt = loop.Clock.GetTimestamp();
            while (!whole)
            {
                int received = await port.ReceiveAsync(timer.Wait(sends, terms.Timeout) - loop.Clock.GetElapsedTime(sentAt));
                if (received < 0)
                {
                    if (sends == (block > 0 ? RetryTimer.MaxSends : RetryTimer.MaxUnprovenSends))
                    {
                        return (TftpOutcome.TimedOut, $"block {block + 1} did not come after {sends} requests");
                    }
                    Reply();
                    sends++;
                    continue;
                }
                if (!TftpPacket.TryRead(loop.Packet.AsSpan(0, received), out TftpOpcode opcode, out ushort number))
                {
                    continue;
                }
                if (opcode == TftpOpcode.Error)
                {
                    return (TftpOutcome.Aborted, TftpPacket.DescribeError(loop.Packet.AsSpan(0, received)));
                }
                int length = received - TftpPacket.HeaderSize;
                if (opcode != TftpOpcode.Data || number != (ushort)(block + 1) || length > terms.BlockSize)
                {
                    // A block that came twice needs no answer; one from further on says that those before it were lost (RFC 7440 §4).
                    if (opcode == TftpOpcode.Data && terms.WindowSize > 1 && (ushort)(number - block) is > 1 and < 0x8000
                        && replied != block)
                    {
                        Reply();
                    }
                    continue;
                }
                if (Received + length > uploads.MaxBytes)
                {
                    string reason = $"files of more than {uploads.MaxBytes} bytes are not taken";
                    port.Send(TftpPacket.Error(TftpError.DiskFull, reason), int.MaxValue);
                    return (TftpOutcome.Refused, reason);
                }
                block++;
                Received += length;
                Write(loop.Packet.AsSpan(TftpPacket.HeaderSize, length));
                whole = length < terms.BlockSize;
                if (whole)
                {
                    file.Flush(); // what is confirmed is written
                }
                if (whole || block - replied >= terms.WindowSize)
                {
                    timer = sends == 1 ? timer.With(loop.Clock.GetElapsedTime(sentAt)) : timer;
                    Reply();
                }
                sends = 1;
            }
            await LingerAsync();
            return (TftpOutcome.Completed, null);

            void Reply()
            {
                replied = block;
                TftpPacket.WriteHeader(reply, TftpOpcode.Ack, (ushort)block);
                byte[] packet = block == 0 ? first : reply;
                port.Send(packet, packet.Length);
                sentAt = loop.Clock.GetTimestamp();
            }

            // Should the last acknowledgement get lost, the last block comes again (RFC 1350 §6).
            async Task LingerAsync()
            {
                try
                {
                    while (await port.ReceiveAsync(timer.Wait(1, terms.Timeout) - loop.Clock.GetElapsedTime(sentAt)) is >= 0
                        and var received)
                    {
                        if (TftpPacket.TryRead(loop.Packet.AsSpan(0, received), out TftpOpcode opcode, out ushort number) &&
                            opcode == TftpOpcode.Data && number == (ushort)block)
                        {
                            Reply();
                        }
                    }
                }
                catch (SocketException)
                {
                    // The client has closed its port: it has all it waits for.
                }
            }
        }
        finally
        {
            loop.Remove(port);
            await file.DisposeAsync();
            if (!whole)
            {
                File.Delete(file.Name);
            }
        }
    }

    private void Write(Span<byte> block) => file.Write(_text is null ? block : block[.._text.Decode(block)]);
}
