using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bootstrap.Netboot.Tftp;

namespace Bootstrap.Netboot.Tests;

/// <summary>The server against the clients that people have, over loopback.</summary>
public sealed class TftpServerTests : IAsyncLifetime
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly Dictionary<string, byte[]> _files = [];
    private readonly RecordingObserver _observer = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tftp-test-");
    private TftpServer _server = null!;
    private Task _running = null!;

    private int Port => _server.LocalEndPoint.Port;

    public ValueTask InitializeAsync()
    {
        _server = TftpServer.Open(new TftpServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) }, new Files(_files), _observer, TimeProvider.System);
        _running = _server.RunAsync(_stop.Token);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("busybox", 0)] // curl cannot: it reports an error of its own
    [InlineData("curl", 1)]
    [InlineData("curl", 511)]
    [InlineData("curl", 512)]
    [InlineData("curl", 513)]
    [InlineData("curl", 2936)] // 2 × 1468
    [InlineData("curl", 3_000_001)]
    [InlineData("curl-1468", 2936)]
    [InlineData("curl-1468", 3_000_001)]
    [InlineData("curl-plain", 1024)]
    [InlineData("tftp-hpa", 0)]
    [InlineData("tftp-hpa", 1024)]
    [InlineData("tftp-hpa", 3_000_001)]
    [InlineData("busybox", 1024)]
    [InlineData("busybox-1432", 300_001)]
    [InlineData("atftp", 300_001)]
    [InlineData("atftp-window", 3_000_001)]
    [InlineData("atftp-window", 1468 * 16)]
    public async Task A_client_gets_the_file_byte_for_byte(string client, int size)
    {
        _files["dir/file.bin"] = RandomNumberGenerator.GetBytes(size);
        byte[] got = await FetchAsync(client, "dir/file.bin");
        Assert.True(_files["dir/file.bin"].AsSpan().SequenceEqual(got), $"{client} received {got.Length} bytes of {size}, or others");
        TftpSighting sighting = await _observer.NextFetchedAsync();
        Assert.Equal((TftpOutcome.Completed, size, "dir/file.bin"), (sighting.Outcome, sighting.Bytes, sighting.Path));
    }

    [Fact]
    public async Task A_file_of_more_blocks_than_16_bits_count_arrives_whole()
    {
        _files["big"] = RandomNumberGenerator.GetBytes(70_000 * 8 + 3);
        Assert.Equal(SHA256.HashData(_files["big"]), SHA256.HashData(await FetchAsync("curl-8", "big")));
    }

    [Fact]
    public async Task Many_clients_at_once_are_served()
    {
        _files["kernel8.img"] = RandomNumberGenerator.GetBytes(200_000);
        byte[][] all = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => FetchAsync("curl", "kernel8.img")));
        Assert.All(all, got => Assert.True(_files["kernel8.img"].AsSpan().SequenceEqual(got)));
    }

    [Fact]
    public async Task A_missing_file_is_error_1_and_reported_as_a_miss()
    {
        using UdpClient board = await AskAsync("c0ffee01/recovery.elf", []);
        byte[] reply = (await board.ReceiveAsync(Cancel)).Buffer;
        Assert.Equal([0, 5, 0, 1], reply[..4]);
        Assert.Equal(TftpOutcome.NotFound, (await _observer.NextFetchedAsync()).Outcome);
    }

    [Theory]
    [InlineData("../secret", "octet", "", 2)]
    [InlineData("file", "netascii", "", 4)]
    [InlineData("file", "octet", "blksize=4", 8)]
    public async Task What_is_not_allowed_is_refused_with_the_error_of_its_RFC(string path, string mode, string option, int error)
    {
        _files["file"] = [1];
        using UdpClient board = await AskAsync(path, option.Length == 0 ? [] : [new(option.Split('=')[0], option.Split('=')[1])], mode);
        Assert.Equal([0, 5, 0, (byte)error], (await board.ReceiveAsync(Cancel)).Buffer[..4]);
        Assert.Equal(TftpOutcome.Refused, (await _observer.NextFetchedAsync()).Outcome);
    }

    [Fact]
    public async Task A_probe_that_stops_after_the_option_reply_is_quiet()
    {
        _files["config.txt"] = [1, 2, 3];
        using UdpClient board = await AskAsync("config.txt", [new("tsize", "0")]);
        UdpReceiveResult reply = await board.ReceiveAsync(Cancel);
        Assert.Equal("\0\u0006tsize\03\0"u8.ToArray(), reply.Buffer);
        await board.SendAsync(new byte[] { 0, 5, 0, 0, 0 }, reply.RemoteEndPoint, Cancel);
        Assert.Equal((TftpOutcome.Probed, 0), await _observer.NextFetchedAsync() is var s ? (s.Outcome, s.Bytes) : default);
    }

    [Fact]
    public async Task Acknowledgements_that_come_twice_bring_no_block_twice()
    {
        _files["start4.elf"] = new byte[512 * 20];
        using UdpClient board = await AskAsync("start4.elf", []);
        var seen = new List<int>();
        IPEndPoint? port = null;
        for (int block = 1; block <= 21; block++)
        {
            UdpReceiveResult data = await board.ReceiveAsync(Cancel);
            port ??= data.RemoteEndPoint;
            Assert.Equal(port, data.RemoteEndPoint);
            seen.Add(data.Buffer[2] << 8 | data.Buffer[3]);
            for (int copies = 0; copies < 3; copies++)
            {
                await board.SendAsync(new byte[] { 0, 4, data.Buffer[2], data.Buffer[3] }, port, Cancel);
            }
        }
        Assert.Equal(Enumerable.Range(1, 21), seen);
        Assert.Equal(0, board.Available);
        Assert.Equal(TftpOutcome.Completed, (await _observer.NextFetchedAsync()).Outcome);
    }

    [Fact]
    public async Task A_lost_block_is_sent_again()
    {
        _files["file"] = new byte[100];
        using UdpClient board = await AskAsync("file", []);
        byte[] lost = (await board.ReceiveAsync(Cancel)).Buffer;
        UdpReceiveResult again = await board.ReceiveAsync(Cancel);
        Assert.Equal(lost, again.Buffer);
        await board.SendAsync(new byte[] { 0, 4, 0, 1 }, again.RemoteEndPoint, Cancel);
        Assert.Equal(TftpOutcome.Completed, (await _observer.NextFetchedAsync()).Outcome);
    }

    [Fact]
    public async Task A_hole_in_a_window_is_filled_from_where_the_client_says()
    {
        _files["file"] = new byte[512 * 6 + 1];
        using UdpClient board = await AskAsync("file", [new("windowsize", "4")]);
        UdpReceiveResult reply = await board.ReceiveAsync(Cancel);
        IPEndPoint port = reply.RemoteEndPoint;
        await board.SendAsync(new byte[] { 0, 4, 0, 0 }, port, Cancel);
        Assert.Equal((int[])[1, 2, 3, 4], await BlocksAsync(board, 4));
        await board.SendAsync(new byte[] { 0, 4, 0, 2 }, port, Cancel);
        Assert.Equal((int[])[3, 4, 5, 6], await BlocksAsync(board, 4));
        await board.SendAsync(new byte[] { 0, 4, 0, 6 }, port, Cancel);
        Assert.Equal((int[])[7], await BlocksAsync(board, 1));
        await board.SendAsync(new byte[] { 0, 4, 0, 7 }, port, Cancel);
        Assert.Equal((TftpOutcome.Completed, 512 * 6 + 1), await _observer.NextFetchedAsync() is var s ? (s.Outcome, s.Bytes) : default);
    }

    [Fact]
    public void A_busy_port_is_one_sentence_that_says_which_and_what_to_do()
    {
        NetbootException reason = Assert.Throws<NetbootException>(() => TftpServer.Open(
            new TftpServerOptions { EndPoint = _server.LocalEndPoint }, new Files(_files), _observer, TimeProvider.System));
        Assert.Equal($"TFTP cannot listen on UDP 127.0.0.1:{Port}: another program has that port; stop it or start without (--tftp off)", reason.Message);
    }

    private static async Task<int[]> BlocksAsync(UdpClient board, int count)
    {
        int[] blocks = new int[count];
        for (int i = 0; i < count; i++)
        {
            byte[] data = (await board.ReceiveAsync(Cancel)).Buffer;
            blocks[i] = data[2] << 8 | data[3];
        }
        return blocks;
    }

    private async Task<UdpClient> AskAsync(string path, KeyValuePair<string, string>[] options, string mode = "octet")
    {
        byte[] packet = new byte[512];
        int length = new TftpRequest(TftpOpcode.ReadRequest, path, mode, options).Write(packet);
        var board = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await board.SendAsync(packet.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
        return board;
    }

    private async Task<byte[]> FetchAsync(string client, string path)
    {
        string target = Path.Combine(_folder.FullName, Guid.NewGuid().ToString());
        string url = $"tftp://127.0.0.1:{Port}/{path}";
        string[] command = client switch
        {
            "curl" => ["curl", "-sS", "-o", target, url],
            "curl-8" => ["curl", "-sS", "--tftp-blksize", "8", "-o", target, url],
            "curl-1468" => ["curl", "-sS", "--tftp-blksize", "1468", "-o", target, url],
            "curl-plain" => ["curl", "-sS", "--tftp-no-options", "-o", target, url],
            "tftp-hpa" => ["tftp", "-m", "binary", "127.0.0.1", $"{Port}", "-c", "get", path, target],
            "busybox" => ["busybox", "tftp", "-g", "-r", path, "-l", target, "127.0.0.1", $"{Port}"],
            "busybox-1432" => ["busybox", "tftp", "-b", "1432", "-g", "-r", path, "-l", target, "127.0.0.1", $"{Port}"],
            "atftp" => ["atftp", "--get", "-r", path, "-l", target, "127.0.0.1", $"{Port}"],
            "atftp-window" => ["atftp", "--option", "blksize 1468", "--option", "windowsize 16", "--get", "-r", path, "-l", target, "127.0.0.1", $"{Port}"],
            _ => throw new ArgumentException(client),
        };
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        string errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.True(process.ExitCode == 0, $"{client}: {errors}");
        return File.Exists(target) ? await File.ReadAllBytesAsync(target, Cancel) : []; // curl makes no file of an empty one
    }

    private sealed class Files(Dictionary<string, byte[]> files) : IBootFiles
    {
        public BootFile? Find(BootClient client, string path) => files.TryGetValue(path, out byte[]? content) ? new MemoryBootFile(content) : null;
    }
}
