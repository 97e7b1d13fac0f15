using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Protocol.Polling;

namespace Bootstrap.Bench;

/// <summary>Many TFTP clients on one thread, with blocks of 1,468 bytes as a Pi's EEPROM asks for. What they fetch is counted and thrown
/// away.</summary>
/// <param name="server">Where requests are sent.</param>
/// <param name="path">What is fetched.</param>
/// <param name="clients">How many at once.</param>
/// <param name="window">The windowsize that is asked for (RFC 7440); 1: none is.</param>
/// <param name="hold">Each stops after the OACK's acknowledgement, with the transfer open.</param>
internal sealed class TftpLoad(IPEndPoint server, string path, int clients, int window, bool hold) : IDisposable
{
    private const int BlockSize = 1468;
    private const int HeaderSize = 4;
    private const int ReceiveBuffer = 1 << 20;
    private const int SilenceMilliseconds = 1000;
    private const int MaxSilences = 20;

    private readonly Epoll _epoll = new();
    private readonly Dictionary<int, Client> _clients = [];
    private readonly byte[] _packet = new byte[2048];

    private sealed class Client(Socket socket)
    {
        public Socket Socket => socket;

        public bool Connected { get; set; }
        public int Window { get; set; } = 1;
        public int InWindow { get; set; }
        public ushort Expected { get; set; } = 1;
        public long Bytes { get; set; }
    }

    /// <summary>Fetches until all clients have the whole file; returns the sum of their bytes.</summary>
    /// <exception cref="InvalidOperationException">The server refused, fell silent, or gave clients files of different lengths.</exception>
    public long Run()
    {
        byte[] request = [0, 1, .. Text(path), .. Text("octet"), .. Text("blksize"), .. Text(BlockSize),
            .. (window > 1 ? [.. Text("windowsize"), .. Text(window)] : Array.Empty<byte>())];
        for (int i = 0; i < clients; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
            {
                Blocking = false,
                ReceiveBufferSize = ReceiveBuffer
            };
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _clients.Add((int)socket.Handle, new Client(socket));
            _epoll.Add((int)socket.Handle, (int)socket.Handle);
            socket.SendTo(request, server);
        }
        Span<int> ready = stackalloc int[256];
        var lengths = new HashSet<long>();
        long bytes = 0;
        int silences = 0;
        for (int left = clients; left > 0;)
        {
            int count = _epoll.Wait(ready, SilenceMilliseconds);
            if (count == 0)
            {
                if (++silences == MaxSilences)
                {
                    throw new InvalidOperationException($"{left} of {clients} transfers hang");
                }
                // A server whose buffer was full has lost requests; of blocks it is the server who sees to it.
                foreach (Client client in _clients.Values.Where(c => !c.Connected))
                {
                    client.Socket.SendTo(request, server);
                }
            }
            foreach (int descriptor in ready[..count])
            {
                Client client = _clients[descriptor];
                if (Read(client))
                {
                    left--;
                    bytes += client.Bytes;
                    lengths.Add(client.Bytes);
                    _epoll.Remove(descriptor);
                }
            }
        }
        return lengths.Count == 1 ? bytes : throw new InvalidOperationException($"the clients got files of {string.Join(", ", lengths)} " +
            "bytes");
    }

    public void Dispose()
    {
        foreach (Client client in _clients.Values)
        {
            client.Socket.Dispose();
        }
        _epoll.Dispose();
    }

    /// <summary>Takes all that has come; true once the client has what it wants.</summary>
    private bool Read(Client client)
    {
        while (true)
        {
            if (!client.Connected)
            {
                EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                int first = client.Socket.ReceiveFrom(_packet, ref from);
                client.Socket.Connect(from);
                client.Connected = true;
                if (Take(client, first))
                {
                    return true;
                }
                continue;
            }
            int length = client.Socket.Receive(_packet, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                return false;
            }
            if (error != SocketError.Success)
            {
                throw new InvalidOperationException($"a transfer broke: {error}");
            }
            if (Take(client, length))
            {
                return true;
            }
        }
    }

    private bool Take(Client client, int length)
    {
        ushort opcode = BinaryPrimitives.ReadUInt16BigEndian(_packet), number = BinaryPrimitives.ReadUInt16BigEndian(_packet.AsSpan(2));
        switch (opcode)
        {
            case 6: // OACK: the server's word on the window; one that does not know it says nothing of it.
                string[] options = Encoding.ASCII.GetString(_packet, 2, length - 2).ToLowerInvariant().Split('\0');
                int at = Array.IndexOf(options, "windowsize");
                client.Window = at < 0 ? 1 : int.Parse(options[at + 1], CultureInfo.InvariantCulture);
                Acknowledge(client, 0);
                return hold;
            case 3 when number == client.Expected:
                client.Expected++;
                client.Bytes += length - HeaderSize;
                bool ended = length < HeaderSize + BlockSize;
                if (ended || ++client.InWindow == client.Window)
                {
                    client.InWindow = 0;
                    Acknowledge(client, number);
                }
                return ended;
            case 3: // Lost or doubled: the last that came in order.
                client.InWindow = 0;
                Acknowledge(client, (ushort)(client.Expected - 1));
                return false;
            default:
                throw new InvalidOperationException($"the server says {opcode}: " +
                    $"{Encoding.ASCII.GetString(_packet, HeaderSize, length - HeaderSize)}");
        }
    }

    private static void Acknowledge(Client client, ushort number)
    {
        Span<byte> packet = [0, 4, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], number);
        client.Socket.Send(packet);
    }

    private static byte[] Text(string text) => [.. Encoding.ASCII.GetBytes(text), 0];

    private static byte[] Text(int number) => Text(number.ToString(CultureInfo.InvariantCulture));
}
