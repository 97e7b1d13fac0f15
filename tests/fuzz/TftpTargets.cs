using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Tftp;

namespace Bootstrap.Fuzz;

/// <summary>What a TFTP packet goes through but the sockets.</summary>
internal sealed class TftpPacketTarget : IFuzzTarget
{
    public string Name => "TFTP, packets";

    public long Answers { get; private set; }

    public IReadOnlyList<byte[]> Samples { get; } = TftpSamples.All;

    public ValueTask TakeAsync(byte[] packet)
    {
        if (TftpRequest.TryParse(packet, out TftpRequest? request))
        {
            BootPath.TryNormalise(request.Path, out _);
            TftpPacket.Printable(request.Path);
            TftpPacket.OptionAck(TftpTerms.Negotiate(request.Options, 1 << 20, isUpload: false));
            TftpPacket.OptionAck(TftpTerms.Negotiate(request.Options, null, isUpload: true));
            Answers++;
        }
        if (TftpPacket.TryRead(packet, out TftpOpcode opcode, out ushort number))
        {
            if (opcode == TftpOpcode.Error)
            {
                TftpPacket.DescribeError(packet);
            }
            TftpPacket.Expand(number, 70_000, 70_030);
        }
        return default;
    }

    public Task SettleAsync() => Task.CompletedTask;

    public ValueTask DisposeAsync() => default;
}

/// <summary>A server that runs: packets go to its port, and to the ports of the transfers that they start.</summary>
internal sealed class TftpServerTarget : IFuzzTarget, IBootFiles, IBootObserver
{
    private readonly DirectoryInfo _uploads = Directory.CreateTempSubdirectory("bootstrap-fuzz-");
    private readonly CancellationTokenSource _stop = new();
    private readonly TftpServer _server;
    private readonly Task _running;
    private readonly byte[] _file = new byte[100_000];
    private readonly byte[] _buffer = new byte[2048];
    private Socket _client = NewClient();
    private EndPoint? _transfer;
    private long _ended;
    private int _sent;

    public TftpServerTarget()
    {
        _server = TftpServer.Open(new TftpServerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Uploads = new TftpUploads(_uploads.FullName),
        }, this, this, new HastyClock());
        _running = _server.RunAsync(_stop.Token);
    }

    public string Name => "TFTP, a server that runs";

    public long Answers => Interlocked.Read(ref _ended);

    public IReadOnlyList<byte[]> Samples { get; } = TftpSamples.All;

    public async ValueTask TakeAsync(byte[] packet)
    {
        // A new client now and then: one port has one transfer at a time.
        if (++_sent % 16 == 0)
        {
            _client.Dispose();
            (_client, _transfer) = (NewClient(), null);
        }
        await _client.SendToAsync(packet, _sent % 4 == 0 && _transfer is not null ? _transfer : _server.LocalEndPoint);
        while (_client.Available > 0)
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            _client.ReceiveFrom(_buffer, ref from);
            _transfer = from;
        }
        if (_running.IsCompleted)
        {
            await _running;
            throw new InvalidOperationException("the server has stopped");
        }
    }

    public async Task SettleAsync()
    {
        // The last clients never answer: their transfers end when they have been asked often enough, at the longest 6 s from one time to
        // the next.
        long seen;
        do
        {
            seen = Answers;
            await Task.Delay(TimeSpan.FromSeconds(8) / HastyClock.Haste, TimeProvider.System);
        }
        while (Answers != seen);
    }

    public BootFile? Find(BootClient client, string path) => path.Contains('x', StringComparison.Ordinal) ? null
        : new MemoryBootFile(_file);

    public void Asked(DhcpSighting sighting)
    {
    }

    public void Malformed(string protocol) => Interlocked.Increment(ref _ended);

    public void Fetched(TftpSighting sighting) => Interlocked.Increment(ref _ended);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _server.Dispose();
        _client.Dispose();
        _stop.Dispose();
        _uploads.Delete(recursive: true);
    }

    private static Socket NewClient()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    /// <summary>Time-outs come early: nobody here answers them.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public const int Haste = 10;

        public override long GetTimestamp() => base.GetTimestamp() * Haste;
    }
}

internal static class TftpSamples
{
    public static IReadOnlyList<byte[]> All { get; } =
    [
        Bytes("\0\u0001c0ffee01/start4.elf\0octet\0tsize\00\0blksize\01468\0"),
        Bytes("\0\u0001config.txt\0netascii\0windowsize\016\0timeout\03\0"),
        Bytes("\0\u0002board.log\0octet\0tsize\0500\0"),
        Bytes("\0\u0004\0\u0001"),
        Bytes("\0\u0004\0\0"),
        [0, 3, 0, 1, .. new byte[512]],
        Bytes("\0\u0005\0\0Early terminate\0"),
        Bytes("\0\u0006blksize\0512\0"),
    ];

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
