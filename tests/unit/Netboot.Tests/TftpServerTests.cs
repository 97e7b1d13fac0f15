using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bootstrap.Netboot.Tftp;
using CsCheck;

namespace Bootstrap.Netboot.Tests;

/// <summary>The server against the clients that people have, over loopback.</summary>
public sealed class TftpServerTests : TftpTest
{
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
    [InlineData("curl-6", 3_000_001)]
    public async Task A_client_gets_the_file_byte_for_byte(string client, int size)
    {
        _files["dir/file.bin"] = RandomNumberGenerator.GetBytes(size);
        byte[] got = await FetchAsync(client, "dir/file.bin");
        Assert.True(_files["dir/file.bin"].AsSpan().SequenceEqual(got), $"{client} received {got.Length} bytes of {size}, or others");
        TftpSighting sighting = await _observer.NextFetchedAsync();
        Assert.Equal((TftpOutcome.Completed, size, "dir/file.bin", null),
            (sighting.Outcome, sighting.Bytes, sighting.Path, sighting.Detail));
    }

    [Theory]
    [InlineData("curl-1468", 10_000)] // it looks at its socket once a second where something is lost
    [InlineData("tftp-hpa", 15_000)]
    [InlineData("busybox-1432", 40_000)]
    [InlineData("atftp", 15_000)]
    [InlineData("atftp-window", 100_001)]
    public async Task A_file_arrives_whole_over_a_network_that_loses_doubles_delays_and_reorders(string client, int size)
    {
        _files["kernel8.img"] = RandomNumberGenerator.GetBytes(size);
        await using var link = new ImpairedLink(new IPEndPoint(IPAddress.Loopback, Port), seed: 20_150_601);
        byte[] got = await FetchAsync(client, "kernel8.img", link.Port);
        Assert.True(_files["kernel8.img"].AsSpan().SequenceEqual(got), $"{client} received {got.Length} bytes of {size}, or others");
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
    [InlineData("../secret", "octet", 2)]
    [InlineData("file", "mail", 4)]
    public async Task What_is_not_allowed_is_refused_with_the_error_of_its_RFC(string path, string mode, int error)
    {
        _files["file"] = [1];
        using UdpClient board = await AskAsync(path, [], mode);
        Assert.Equal([0, 5, 0, (byte)error], (await board.ReceiveAsync(Cancel)).Buffer[..4]);
        Assert.Equal(TftpOutcome.Refused, (await _observer.NextFetchedAsync()).Outcome);
    }

    [Theory]
    [InlineData("blksize", "4", "\0\u0003\0\u0001x")]
    [InlineData("timeout", "300", "\0\u0003\0\u0001x")]
    [InlineData("blksize", "100000", "\0\u0006blksize\01468\0")]
    public async Task An_option_out_of_range_does_not_cost_the_board_its_file(string option, string value, string reply)
    {
        _files["config.txt"] = "x"u8.ToArray();
        using UdpClient board = await AskAsync("config.txt", [new(option, value)]);
        Assert.Equal(reply, Encoding.ASCII.GetString((await board.ReceiveAsync(Cancel)).Buffer));
    }

    [Theory]
    [InlineData(TftpOpcode.ReadRequest, "\0\u0001kernel8.img\0octet\0")] // a request that went to the port of another's transfer
    [InlineData(TftpOpcode.ReadRequest, "\0\u0004\0\u0001")]
    [InlineData(TftpOpcode.WriteRequest, "\0\u0003\0\u0001stolen")]
    public async Task What_a_stranger_sends_to_the_port_of_a_transfer_is_error_5_and_the_transfer_goes_on(TftpOpcode opcode, string sent)
    {
        _files["kernel8.img"] = RandomNumberGenerator.GetBytes(700);
        using UdpClient board = await AskAsync(opcode == TftpOpcode.ReadRequest ? "kernel8.img" : "log", [], opcode: opcode);
        UdpReceiveResult first = await board.ReceiveAsync(Cancel);
        using var stranger = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await stranger.SendAsync(Encoding.ASCII.GetBytes(sent), first.RemoteEndPoint, Cancel);
        UdpReceiveResult refusal = await stranger.ReceiveAsync(Cancel);
        Assert.Equal("\0\u0005\0\u0005unknown transfer\0", Encoding.ASCII.GetString(refusal.Buffer));
        Assert.Equal(first.RemoteEndPoint, refusal.RemoteEndPoint);
        // Neither an error nor what is no packet is answered.
        await stranger.SendAsync("\0\u0005\0\u0005\0"u8.ToArray(), first.RemoteEndPoint, Cancel);
        await stranger.SendAsync("x"u8.ToArray(), first.RemoteEndPoint, Cancel);

        byte[] next = opcode == TftpOpcode.ReadRequest ? [0, 4, 0, 1] : [0, 3, 0, 1, .. "whole"u8];
        await board.SendAsync(next, first.RemoteEndPoint, Cancel);
        if (opcode == TftpOpcode.ReadRequest)
        {
            Assert.Equal([0, 3, 0, 2], (await board.ReceiveAsync(Cancel)).Buffer[..4]);
            await board.SendAsync(new byte[] { 0, 4, 0, 2 }, first.RemoteEndPoint, Cancel);
        }
        TftpSighting seen = await _observer.NextFetchedAsync();
        Assert.Equal((TftpOutcome.Completed, opcode == TftpOpcode.ReadRequest ? 700 : 5), (seen.Outcome, seen.Bytes));
        Assert.Equal(0, stranger.Available);
    }

    [Fact]
    public async Task Many_transfers_under_way_have_a_port_each()
    {
        _files["kernel8.img"] = new byte[700];
        UdpClient[] boards = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => AskAsync("kernel8.img", [])));
        UdpReceiveResult[] replies = await Task.WhenAll(boards.Select(board => board.ReceiveAsync(Cancel).AsTask()));
        Assert.Equal(boards.Length, replies.Select(reply => reply.RemoteEndPoint.Port).Distinct().Count());
        Array.ForEach(boards, board => board.Dispose());
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
    public async Task A_probe_that_closes_its_port_after_the_first_reply_is_quiet_too()
    {
        _files["config.txt"] = new byte[2000];
        UdpClient board = await AskAsync("config.txt", []);
        await board.ReceiveAsync(Cancel);
        board.Dispose(); // the block that comes again hits a closed port
        Assert.Equal((TftpOutcome.Probed, 0), await _observer.NextFetchedAsync() is var s ? (s.Outcome, s.Bytes) : default);
    }

    [Theory]
    [InlineData(TftpOpcode.ReadRequest, "")] // the first block
    [InlineData(TftpOpcode.ReadRequest, "timeout=1 windowsize=16 blksize=1400")] // the option reply
    [InlineData(TftpOpcode.WriteRequest, "timeout=1")]
    public async Task An_address_that_acknowledges_nothing_gets_one_packet_and_two_repeats(TftpOpcode opcode, string options)
    {
        _files["kernel8.img"] = new byte[100_000];
        using UdpClient victim = await AskAsync(opcode == TftpOpcode.ReadRequest ? "kernel8.img" : "log",
            [.. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(o => new KeyValuePair<string, string>(o.Split('=')[0], o.Split('=')[1]))], opcode: opcode);
        TftpSighting seen = await _observer.NextFetchedAsync();
        Assert.Equal(TftpOutcome.TimedOut, seen.Outcome);
        var packets = new List<byte[]>();
        while (victim.Available > 0)
        {
            packets.Add((await victim.ReceiveAsync(Cancel)).Buffer);
        }
        Assert.Equal(3, packets.Count);
        Assert.All(packets, packet => Assert.Equal(packets[0], packet));
        Assert.InRange(packets[0].Length, 4, 516);
    }

    [Theory]
    [InlineData("kernel8.img", "blksize")] // a board whose power failed in mid-transfer
    [InlineData("bootcode.bin", null)]
    public async Task A_board_that_restarts_and_asks_for_the_same_from_the_same_port_is_answered_anew(string path, string? option)
    {
        _files[path] = new byte[30_000];
        KeyValuePair<string, string>[] options = option is null ? [] : [new(option, "1024")];
        using UdpClient board = await AskAsync(path, options);
        UdpReceiveResult first = await board.ReceiveAsync(Cancel);
        await board.SendAsync(new byte[] { 0, 4, 0, (byte)(option is null ? 1 : 0) }, first.RemoteEndPoint, Cancel);
        await board.ReceiveAsync(Cancel);
        await Task.Delay(TimeSpan.FromSeconds(1.2), TimeProvider.System, Cancel); // no board is up again sooner
        byte[] packet = new byte[512];
        int length = new TftpRequest(TftpOpcode.ReadRequest, path, "octet", options).Write(packet);
        await board.SendAsync(packet.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
        UdpReceiveResult answer;
        do
        {
            answer = await board.ReceiveAsync(Cancel); // what the old transfer has sent again meanwhile comes first
        }
        while (answer.RemoteEndPoint.Equals(first.RemoteEndPoint));
        Assert.Equal(first.Buffer, answer.Buffer);
        Assert.Equal("the client began anew", (await _observer.NextFetchedAsync()).Detail);
    }

    [Fact]
    public async Task A_client_that_fetches_file_after_file_from_one_port_gets_them_all()
    {
        _files["dir/file.bin"] = RandomNumberGenerator.GetBytes(700);
        string commands = string.Join("\\n", Enumerable.Range(0, 40).Select(i => $"get dir/file.bin {_folder.FullName}/{i}"));
        await RunAsync(["bash", "-c", $"printf 'binary\\n{commands}\\nquit\\n' | tftp 127.0.0.1 {Port}"]);
        Assert.All(Enumerable.Range(0, 40), i => Assert.Equal(_files["dir/file.bin"], File.ReadAllBytes($"{_folder.FullName}/{i}")));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _observer.NextFetchedAsync().AsTask())),
            sighting => Assert.Equal(TftpOutcome.Completed, sighting.Outcome));
    }

    [Fact]
    public void A_server_that_is_disposed_twice_says_nothing_of_it()
    {
        var server = TftpServer.Open(new TftpServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) }, new Files([]), _observer,
            TimeProvider.System);
        server.Dispose();
        server.Dispose();
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
    public async Task Text_is_sent_as_netascii_and_arrives_as_it_was()
    {
        _files["notes.txt"] = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 2000).Select(i => $"line {i}\n")));
        Assert.Equal(_files["notes.txt"], await FetchAsync("tftp-hpa-text", "notes.txt"));
        await _observer.NextFetchedAsync();
        // On the wire each line feed is two characters, and a carriage return is followed by NUL.
        _files["ends"] = "a\nb\rc\r\n"u8.ToArray();
        using UdpClient board = await AskAsync("ends", [new("tsize", "0")], "netascii");
        UdpReceiveResult data = await board.ReceiveAsync(Cancel);
        Assert.Equal("a\r\nb\r\0c\r\0\r\n"u8.ToArray(), data.Buffer[4..]);
        await board.SendAsync(new byte[] { 0, 4, 0, 1 }, data.RemoteEndPoint, Cancel);
        Assert.Equal((TftpOutcome.Completed, 11), await _observer.NextFetchedAsync() is var s ? (s.Outcome, s.Bytes) : default);
    }

    [Fact]
    public void Netascii_is_the_same_after_there_and_back_however_it_is_cut() => Gen.Select(
        Gen.Int[0, 3].Select(i => "\r\n\0a"u8[i]).Array[0, 40], Gen.Int[1, 9]).Sample((content, size) =>
    {
        var encoder = new NetasciiEncoder(new MemoryBootFile(content));
        var decoder = new NetasciiDecoder();
        var got = new List<byte>();
        byte[] block = new byte[size];
        for (int length = size; length == size;)
        {
            length = encoder.Read(block);
            int decoded = decoder.Decode(block.AsSpan(0, length));
            got.AddRange(block[..decoded]);
        }
        Assert.Equal(content, got);
    });

    [Fact]
    public async Task A_client_that_cannot_count_beyond_block_65535_is_told_of_by_that_reason()
    {
        _files["kernel8.img"] = new byte[66_000 * 8];
        using UdpClient board = await AskAsync("kernel8.img", [new("blksize", "8"), new("windowsize", "100")]);
        IPEndPoint port = (await board.ReceiveAsync(Cancel)).RemoteEndPoint;
        byte[] ack = [0, 4, 0, 0];
        for (long have = 0; have < 65_535;)
        {
            await board.SendAsync(ack, port, Cancel);
            long end = Math.Min(have + 100, 66_000);
            while (have < end && have < 65_535)
            {
                byte[] data = (await board.ReceiveAsync(Cancel)).Buffer;
                have += (data[2] << 8 | data[3]) == (ushort)(have + 1) ? 1 : 0;
            }
            (ack[2], ack[3]) = ((byte)(have >> 8), (byte)have);
        }
        await board.SendAsync(ack, port, Cancel);
        await board.ReceiveAsync(Cancel);
        await board.SendAsync(new byte[] { 0, 5, 0, 0, 0 }, port, Cancel);
        TftpSighting sighting = await _observer.NextFetchedAsync();
        Assert.Equal((TftpOutcome.Aborted, 65_535 * 8), (sighting.Outcome, sighting.Bytes));
        Assert.Contains("must stay below 524280 bytes", sighting.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_request_is_counted_and_answered_by_nothing()
    {
        using var stranger = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        foreach (byte[] bad in (byte[][])[[], [0], [0, 1, 0x41], [0, 4, 0, 1], [9, 9, 9, 9], new byte[1400]])
        {
            await stranger.SendAsync(bad, new IPEndPoint(IPAddress.Loopback, Port), Cancel);
            Assert.Equal("TFTP", await _observer.NextMalformedAsync());
        }
        Assert.Equal(0, stranger.Available);
    }

    [Theory]
    [InlineData("undionly.kpxe\u00ff")] // the end mark of DHCP's options, seen of ROMs that read option 67 as C does
    [InlineData("undionly.kpxe\u0006\u0004x")] // the option behind it, a name server
    [InlineData("undionly.kpxe\n")]
    public async Task A_name_with_the_next_option_s_bytes_behind_it_is_found(string asked)
    {
        _files["undionly.kpxe"] = "x"u8.ToArray();
        using var board = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await board.SendAsync(Encoding.Latin1.GetBytes($"\0\u0001{asked}\0octet\0"), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
        Assert.Equal("\0\u0003\0\u0001x", Encoding.ASCII.GetString((await board.ReceiveAsync(Cancel)).Buffer));
    }

    [Theory]
    [InlineData("..\n\u001b[2J", "..")]
    [InlineData("\u001b[2J", "")]
    public async Task A_refused_path_is_reported_in_printable_characters(string asked, string reported)
    {
        using UdpClient board = await AskAsync(asked, []);
        Assert.Equal([0, 5, 0, 2], (await board.ReceiveAsync(Cancel)).Buffer[..4]);
        Assert.Equal(reported, (await _observer.NextFetchedAsync()).Path);
    }

    [Fact]
    public void A_busy_port_is_one_sentence_that_says_which_and_what_to_do()
    {
        NetbootException reason = Assert.Throws<NetbootException>(() => TftpServer.Open(
            new TftpServerOptions { EndPoint = _server.LocalEndPoint }, new Files(_files), _observer, TimeProvider.System));
        Assert.Equal($"TFTP cannot listen on UDP [::]:{Port}: another program has that port; stop it or start without (--tftp off)",
            reason.Message);
    }

    private async Task<byte[]> FetchAsync(string client, string path, int? port = null)
    {
        string target = Path.Combine(_folder.FullName, Guid.NewGuid().ToString());
        string url = $"tftp://127.0.0.1:{port ?? Port}/{path}";
        string[] command = client switch
        {
            "curl" => ["curl", "-sS", "-o", target, url],
            "curl-6" => ["curl", "-sS", "-o", target, $"tftp://[::1]:{port ?? Port}/{path}"],
            "curl-8" => ["curl", "-sS", "--tftp-blksize", "8", "-o", target, url],
            "curl-1468" => ["curl", "-sS", "--tftp-blksize", "1468", "-o", target, url],
            "curl-plain" => ["curl", "-sS", "--tftp-no-options", "-o", target, url],
            "tftp-hpa" => ["tftp", "-m", "binary", "127.0.0.1", $"{port ?? Port}", "-c", "get", path, target],
            "busybox" => ["busybox", "tftp", "-g", "-r", path, "-l", target, "127.0.0.1", $"{port ?? Port}"],
            "busybox-1432" => ["busybox", "tftp", "-b", "1432", "-g", "-r", path, "-l", target, "127.0.0.1", $"{port ?? Port}"],
            "atftp" => ["atftp", "--get", "-r", path, "-l", target, "127.0.0.1", $"{port ?? Port}"],
            "tftp-hpa-text" => ["tftp", "-m", "ascii", "127.0.0.1", $"{port ?? Port}", "-c", "get", path, target],
            "atftp-text" => ["atftp", "--option", "mode netascii", "--get", "-r", path, "-l", target, "127.0.0.1", $"{port ?? Port}"],
            // It gives up on an option acknowledgement that comes twice: on a good network it asks for more patience than a busy machine
            // needs.
            "atftp-window" => ["atftp", "--option", "blksize 1468", "--option", "windowsize 16", .. port is null
                ? (string[])["--option", "timeout 20"] : [], "--get", "-r", path, "-l", target, "127.0.0.1", $"{port ?? Port}"],
            _ => throw new ArgumentException(client),
        };
        await RunAsync(command);
        return File.Exists(target) ? await File.ReadAllBytesAsync(target, Cancel) : []; // curl makes no file of an empty one
    }
}
