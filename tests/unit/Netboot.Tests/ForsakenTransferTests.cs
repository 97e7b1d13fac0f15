using System.Net;
using System.Net.Sockets;
using Bootstrap.Netboot.Tftp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

/// <summary>Transfers whose client asks for something else meanwhile.</summary>
public sealed class ForsakenTransferTests : TftpTest
{
    [Fact]
    public async Task To_a_board_that_has_begun_anew_nothing_is_repeated_of_what_it_loaded_before()
    {
        _files["kernel8.img"] = new byte[5000];
        _files["config.txt"] = [1, 2, 3];
        // Two boards that fall silent in the middle of their kernels, and one of them starts again.
        (UdpClient restarted, _) = await BeginAsync("127.0.0.2");
        (UdpClient silent, _) = await BeginAsync("127.0.0.3");
        using (UdpClient again = await AskAsync("127.0.0.2", "config.txt"))
        {
            UdpReceiveResult whole = await again.ReceiveAsync(Cancel);
            await again.SendAsync(new byte[] { 0, 4, 0, 1 }, whole.RemoteEndPoint, Cancel);
            Assert.Equal("config.txt", (await _observer.NextFetchedAsync()).Path);
        }
        // What came before, on a slow machine. Then the other one's turn to be told again comes after the first one's.
        foreach (UdpClient board in new[] { restarted, silent })
        {
            while (board.Available > 0)
            {
                await board.ReceiveAsync(Cancel);
            }
        }
        Assert.Equal(2, (await silent.ReceiveAsync(Cancel)).Buffer[3]);
        Assert.Equal(0, restarted.Available);
        restarted.Dispose();
        silent.Dispose();
    }

    /// <summary>A ROM asks for its first file from the same port after every start (raspberrypi/firmware#1041): what is repeated then, of
    /// that file as it was loaded before, it may take for the answer, and be deaf to the real one.</summary>
    [Fact]
    public async Task To_a_board_that_asks_for_an_address_again_nothing_of_before_is_repeated()
    {
        _files["kernel8.img"] = new byte[5000];
        (UdpClient restarted, _) = await BeginAsync("127.0.0.2");
        using UdpClient unheard = await AskAsync("127.0.0.2", "kernel8.img");
        await unheard.ReceiveAsync(Cancel);
        _server.Restart(MacOf("127.0.0.2"));
        (UdpClient silent, _) = await BeginAsync("127.0.0.3");
        using UdpClient waiting = await AskAsync("127.0.0.3", "kernel8.img");
        await waiting.ReceiveAsync(Cancel);
        // Each of theirs is later than the first one's would be.
        Assert.Equal(1, (await waiting.ReceiveAsync(Cancel)).Buffer[3]);
        Assert.Equal(0, restarted.Available);
        Assert.Equal(0, unheard.Available);

        // And what it asks for anew, from the same port, is answered at once.
        byte[] packet = new byte[512];
        int length = new TftpRequest(TftpOpcode.ReadRequest, "kernel8.img", "octet", []).Write(packet);
        await unheard.SendAsync(packet.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
        Assert.Equal(1, (await unheard.ReceiveAsync(Cancel)).Buffer[3]);
        restarted.Dispose();
        silent.Dispose();
    }

    [Fact]
    public async Task A_board_that_has_begun_anew_is_answered_at_once_though_it_asks_the_same_from_the_same_port()
    {
        _files["kernel8.img"] = new byte[5000];
        _files["config.txt"] = [1, 2, 3];
        (UdpClient board, IPEndPoint before) = await BeginAsync("127.0.0.2");
        using (UdpClient again = await AskAsync("127.0.0.2", "config.txt"))
        {
            UdpReceiveResult whole = await again.ReceiveAsync(Cancel);
            await again.SendAsync(new byte[] { 0, 4, 0, 1 }, whole.RemoteEndPoint, Cancel);
        }
        byte[] packet = new byte[512];
        int length = new TftpRequest(TftpOpcode.ReadRequest, "kernel8.img", "octet", []).Write(packet);
        await board.SendAsync(packet.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
        UdpReceiveResult answer = await board.ReceiveAsync(Cancel);
        Assert.Equal(1, answer.Buffer[3]);
        Assert.NotEqual(before, answer.RemoteEndPoint);
        board.Dispose();
    }

    [Fact]
    public async Task A_client_that_loads_two_files_at_once_gets_what_it_lost_of_one_when_it_says_so()
    {
        _files["kernel8.img"] = new byte[5000];
        _files["config.txt"] = [1, 2, 3];
        (UdpClient first, IPEndPoint port) = await BeginAsync("127.0.0.2");
        using UdpClient second = await AskAsync("127.0.0.2", "config.txt");
        UdpReceiveResult whole = await second.ReceiveAsync(Cancel);
        await second.SendAsync(new byte[] { 0, 4, 0, 1 }, whole.RemoteEndPoint, Cancel);
        // Its own time is over: it says once more what it has, and silence brings what it lacks.
        await first.SendAsync(new byte[] { 0, 4, 0, 1 }, port, Cancel);
        Assert.Equal(2, (await first.ReceiveAsync(Cancel)).Buffer[3]);
        for (byte block = 2; block <= 10; block++)
        {
            await first.SendAsync(new byte[] { 0, 4, 0, block }, port, Cancel);
            if (block < 10)
            {
                Assert.Equal(block + 1, (await first.ReceiveAsync(Cancel)).Buffer[3]);
            }
        }
        first.Dispose();
    }

    private protected override Func<IPAddress, MacAddress?> Neighbours => address => MacOf(address.ToString());

    private static MacAddress MacOf(string address) => new(0xb827eb000000 + (ulong)IPAddress.Parse(address).GetAddressBytes()[^1]);

    /// <summary>Acknowledges the first block, takes the second and says nothing more.</summary>
    private async Task<(UdpClient Board, IPEndPoint Server)> BeginAsync(string address)
    {
        UdpClient board = await AskAsync(address, "kernel8.img");
        UdpReceiveResult first = await board.ReceiveAsync(Cancel);
        await board.SendAsync(new byte[] { 0, 4, 0, 1 }, first.RemoteEndPoint, Cancel);
        Assert.Equal(2, (await board.ReceiveAsync(Cancel)).Buffer[3]);
        return (board, first.RemoteEndPoint);
    }

    private async Task<UdpClient> AskAsync(string address, string path)
    {
        byte[] packet = new byte[512];
        int length = new TftpRequest(TftpOpcode.ReadRequest, path, "octet", []).Write(packet);
        var board = new UdpClient(new IPEndPoint(IPAddress.Parse(address), 0));
        await board.SendAsync(packet.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
        return board;
    }
}
