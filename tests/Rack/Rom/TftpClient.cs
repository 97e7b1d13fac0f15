using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Bootstrap.Rack.Rom;

/// <summary>
/// The TFTP client of a boot ROM: a port of its own for each file, one block at a time, no window. The ports are the same after every
/// start (raspberrypi/firmware#1041: 49153 twice in one boot).
/// </summary>
internal sealed class TftpClient(IPAddress server, EventLog events, TimeProvider clock)
{
    private const int FirstPort = 49153;
    private const int Tries = 6;
    private const int MaxPacket = 4 + 1468;
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(2);

    private int _port = FirstPort;

    /// <summary>What comes next is asked for from the port of the last.</summary>
    public void KeepPort() => _port--;

    /// <summary>Fetches a file. Null if the server has none, does not answer, or leaves the options unconfirmed, which a Pi takes for no
    /// file.</summary>
    public Task<byte[]?> FetchAsync(string path, (string Name, string Value)[] options) => ReadAsync(path, options, probe: false);

    /// <summary>Asks for a file and stops after the first reply: an existence probe.</summary>
    public async Task<bool> ExistsAsync(string path, (string Name, string Value)[] options) => await ReadAsync(path, options,
        probe: true) is not null;

    private async Task<byte[]?> ReadAsync(string path, (string Name, string Value)[] options, bool probe)
    {
        long begun = clock.GetTimestamp();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, _port++));
        EndPoint peer = new IPEndPoint(server, 69);
        byte[] last = Encoding.ASCII.GetBytes($"\0\u0001{path}\0octet\0{string.Concat(options.Select(o => $"{o.Name}\0{o.Value}\0"))}");
        byte[] packet = new byte[MaxPacket];
        var content = new MemoryStream();
        int blockSize = 512;
        long next = 1;
        bool opened = false;
        for (int tries = 0; tries < Tries;)
        {
            await socket.SendToAsync(last, peer);
            tries++;
            while (await ReceiveAsync(socket, packet) is { } received)
            {
                // The server answers from a port of its own, which the first reply tells; others are strangers.
                if (!((IPEndPoint)received.RemoteEndPoint).Address.Equals(server) || opened && !received.RemoteEndPoint.Equals(peer)
                    || received.ReceivedBytes < 4)
                {
                    continue;
                }
                int opcode = BinaryPrimitives.ReadUInt16BigEndian(packet);
                int number = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2));
                if (opcode == 5)
                {
                    return Done("missing", null, $"error {number}");
                }
                if (!opened)
                {
                    if (opcode == 3 && options.Length > 0)
                    {
                        return Done("no-option-reply", null, "the server did not confirm the options");
                    }
                    opened = true;
                    peer = received.RemoteEndPoint;
                    if (probe)
                    {
                        await socket.SendToAsync("\0\u0005\0\0Early terminate\0"u8.ToArray(), peer);
                        return Done("exists", [], null);
                    }
                }
                if (opcode == 6 && next == 1)
                {
                    blockSize = BlockSize(packet.AsSpan(2, received.ReceivedBytes - 2));
                    last = [0, 4, 0, 0];
                }
                else if (opcode == 3 && number == (ushort)next)
                {
                    content.Write(packet, 4, received.ReceivedBytes - 4);
                    last = [0, 4, packet[2], packet[3]];
                    next++;
                    if (received.ReceivedBytes - 4 < blockSize)
                    {
                        await socket.SendToAsync(last, peer);
                        return Done("fetched", content.ToArray(), null);
                    }
                }
                else
                {
                    continue;
                }
                tries = 1;
                await socket.SendToAsync(last, peer);
            }
        }
        return Done("timeout", null, "no answer");

        byte[]? Done(string outcome, byte[]? result, string? reason)
        {
            events.Write("tftp", ("path", path), ("outcome", outcome), ("bytes", content.Length),
                ("ms", (long)clock.GetElapsedTime(begun).TotalMilliseconds),
                ("sha256", outcome == "fetched" ? Convert.ToHexStringLower(SHA256.HashData(result!)) : null), ("reason", reason));
            return result;
        }
    }

    private static int BlockSize(ReadOnlySpan<byte> options)
    {
        string[] words = Encoding.ASCII.GetString(options).Split('\0');
        int at = Array.IndexOf(words, "blksize");
        return at >= 0 && at + 1 < words.Length && int.TryParse(words[at + 1], out int size) ? size : 512;
    }

    private async Task<SocketReceiveFromResult?> ReceiveAsync(Socket socket, byte[] buffer)
    {
        using var timeout = new CancellationTokenSource(s_timeLimit, clock);
        try
        {
            return await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), timeout.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
