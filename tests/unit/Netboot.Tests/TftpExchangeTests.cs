using System.Net;
using System.Net.Sockets;
using Bootstrap.Netboot.Tftp;

namespace Bootstrap.Netboot.Tests;

/// <summary>Packet by packet, with a server for which no time passes: however late a busy machine answers, nothing is sent again that was
/// not asked for.</summary>
public sealed class TftpExchangeTests : TftpTest
{
    private protected override TimeProvider Clock { get; } = new StandingClock();

    [Fact]
    public async Task An_acknowledgement_that_comes_at_once_is_never_overlooked()
    {
        _files["config.txt"] = [1, 2, 3];
        int port = Port;
        // On threads that do nothing else, and answer while the server has hardly sent: what it overlooked would never be answered.
        byte[][] replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(() =>
        {
            byte[] opcodes = new byte[300], buffer = new byte[64];
            for (int i = 0; i < opcodes.Length && !Cancel.IsCancellationRequested; i++)
            {
                using var board = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
                EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                board.SendTo("\0\u0001config.txt\0octet\0tsize\00\0"u8, new IPEndPoint(IPAddress.Loopback, port));
                board.ReceiveFrom(buffer, ref from);
                board.Connect(from);
                board.Send([0, 4, 0, 0]);
                board.Receive(buffer);
                opcodes[i] = buffer[1];
                board.Send([0, 4, 0, 1]);
            }
            return opcodes;
        }, Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.All(replies, opcodes => Assert.All(opcodes, opcode => Assert.Equal(3, opcode)));
    }

    [Fact]
    public async Task A_transfer_that_is_given_up_tells_how_far_it_came()
    {
        _files["kernel8.img"] = new byte[3000];
        using UdpClient board = await AskAsync("kernel8.img", [new("blksize", "1024")]);
        IPEndPoint port = (await board.ReceiveAsync(Cancel)).RemoteEndPoint;
        await board.SendAsync(new byte[] { 0, 4, 0, 0 }, port, Cancel);
        await board.ReceiveAsync(Cancel);
        await board.SendAsync(new byte[] { 0, 4, 0, 1 }, port, Cancel);
        await board.ReceiveAsync(Cancel);
        await board.SendAsync(new byte[] { 0, 5, 0, 0, 0 }, port, Cancel);
        TftpSighting seen = await _observer.NextFetchedAsync();
        Assert.Equal((TftpOutcome.Aborted, 1024, 3000, 1024), (seen.Outcome, seen.Bytes, seen.Length, seen.BlockSize));
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
    public async Task With_windows_a_client_that_misses_the_first_block_gets_the_window_once_more()
    {
        _files["file"] = new byte[512 * 6 + 1];
        using UdpClient board = await AskAsync("file", [new("windowsize", "3")]);
        IPEndPoint port = (await board.ReceiveAsync(Cancel)).RemoteEndPoint;
        await board.SendAsync(new byte[] { 0, 4, 0, 0 }, port, Cancel);
        Assert.Equal((int[])[1, 2, 3], await BlocksAsync(board, 3));
        await board.SendAsync(new byte[] { 0, 4, 0, 3 }, port, Cancel);
        Assert.Equal((int[])[4, 5, 6], await BlocksAsync(board, 3));
        foreach (int _ in Enumerable.Range(0, 3))
        {
            await board.SendAsync(new byte[] { 0, 4, 0, 3 }, port, Cancel); // "I have 3 still"
        }
        Assert.Equal((int[])[4, 5, 6], await BlocksAsync(board, 3));
        await board.SendAsync(new byte[] { 0, 4, 0, 6 }, port, Cancel);
        Assert.Equal((int[])[7], await BlocksAsync(board, 1));
        Assert.Equal(0, board.Available);
    }

    [Fact]
    public async Task A_request_that_comes_twice_is_answered_once_and_each_file_has_a_port_of_its_own()
    {
        (_files["a"], _files["b"]) = (new byte[600], new byte[10]);
        using UdpClient first = await AskAsync("a", []), second = await AskAsync("b", []);
        IPEndPoint one = (await first.ReceiveAsync(Cancel)).RemoteEndPoint, two = (await second.ReceiveAsync(Cancel)).RemoteEndPoint;
        Assert.Equal(3, new[] { one.Port, two.Port, Port }.Distinct().Count());
        await AskAsync(first, "a");
        await first.SendAsync(new byte[] { 0, 4, 0, 1 }, one, Cancel);
        UdpReceiveResult last = await first.ReceiveAsync(Cancel);
        Assert.Equal((one, 2), (last.RemoteEndPoint, last.Buffer[3]));
        await AskAsync(first, "a");
        await first.SendAsync(new byte[] { 0, 4, 0, 1 }, one, Cancel); // older than what it has: answered by nothing
        Assert.Equal(0, first.Available);
        await first.SendAsync(new byte[] { 0, 5, 0, 0, 0 }, one, Cancel);
        Assert.Equal(TftpOutcome.Aborted, (await _observer.NextFetchedAsync()).Outcome);
    }

    [Fact]
    public async Task Another_request_from_the_same_port_ends_the_transfer_before_and_is_answered_at_once()
    {
        (_files["kernel8.img"], _files["config.txt"]) = (new byte[3000], [1, 2, 3]);
        using UdpClient board = await AskAsync("kernel8.img", []);
        IPEndPoint before = (await board.ReceiveAsync(Cancel)).RemoteEndPoint;
        await board.SendAsync(new byte[] { 0, 4, 0, 1 }, before, Cancel);
        await board.ReceiveAsync(Cancel);
        await AskAsync(board, "config.txt");
        UdpReceiveResult data = await board.ReceiveAsync(Cancel);
        Assert.NotEqual(before, data.RemoteEndPoint);
        Assert.Equal([0, 3, 0, 1, 1, 2, 3], data.Buffer);
        TftpSighting ended = await _observer.NextFetchedAsync();
        Assert.Equal((TftpOutcome.Aborted, 512, "the client began anew"), (ended.Outcome, ended.Bytes, ended.Detail));
        await board.SendAsync(new byte[] { 0, 4, 0, 1 }, data.RemoteEndPoint, Cancel);
        Assert.Equal((TftpOutcome.Completed, "config.txt"), await _observer.NextFetchedAsync() is var s ? (s.Outcome, s.Path) : default);
    }

    [Theory]
    [InlineData("the last acknowledgement", 4)]
    [InlineData("an error", 5)]
    [InlineData("a refusal", 0)]
    public async Task After_this_the_same_file_can_be_asked_for_from_the_same_port_at_once(string after, byte opcode)
    {
        if (opcode != 0)
        {
            _files["bootcode.bin"] = [1, 2, 3];
        }
        using UdpClient board = await AskAsync("bootcode.bin", []);
        // No time passes: a request that is overlooked is never answered, and nothing is sent again.
        for (int i = 0; i < 200; i++)
        {
            UdpReceiveResult data = await board.ReceiveAsync(Cancel);
            Assert.True(opcode == 0 ? data.Buffer[1] == 5 : data.Buffer.AsSpan().SequenceEqual(new byte[] { 0, 3, 0, 1, 1, 2, 3 }),
                $"{after}, round {i}");
            await board.SendAsync(new byte[] { 0, opcode, 0, (byte)(opcode == 4 ? 1 : 0), 0 }, data.RemoteEndPoint, Cancel);
            await AskAsync(board, "bootcode.bin");
        }
    }

    private async Task AskAsync(UdpClient board, string path)
    {
        byte[] packet = new byte[64];
        int length = new TftpRequest(TftpOpcode.ReadRequest, path, "octet", []).Write(packet);
        await board.SendAsync(packet.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
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

    private sealed class StandingClock : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }
}
