using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bootstrap.Netboot.Tftp;

namespace Bootstrap.Netboot.Tests;

/// <summary>What boards write to the server, by the clients that people have and by requests made here.</summary>
public sealed class TftpUploadTests : TftpTest
{
    [Theory]
    [InlineData("curl", 0)]
    [InlineData("curl", 512)]
    [InlineData("curl", 99_999)]
    [InlineData("tftp-hpa", 70_000)]
    [InlineData("busybox", 70_001)]
    [InlineData("atftp", 70_002)]
    [InlineData("atftp-window", 70_003)]
    public async Task A_client_writes_a_file_into_a_folder_of_its_own(string client, int size)
    {
        byte[] content = RandomNumberGenerator.GetBytes(size);
        string source = Path.Combine(_folder.FullName, "board.log");
        await File.WriteAllBytesAsync(source, content, Cancel);
        await RunAsync(client switch
        {
            "curl" => ["curl", "-sS", "-T", source, $"tftp://127.0.0.1:{Port}/board.log"],
            "tftp-hpa" => ["tftp", "-m", "binary", "127.0.0.1", $"{Port}", "-c", "put", source, "board.log"],
            "busybox" => ["busybox", "tftp", "-b", "1024", "-p", "-r", "board.log", "-l", source, "127.0.0.1", $"{Port}"],
            "atftp" => ["atftp", "--put", "-r", "board.log", "-l", source, "127.0.0.1", $"{Port}"],
            _ => ["atftp", "--option", "blksize 1468", "--option", "windowsize 8", "--put", "-r", "board.log", "-l", source, "127.0.0.1",
                $"{Port}"],
        });
        TftpSighting sighting = await _observer.NextFetchedAsync();
        Assert.Equal((TftpOutcome.Completed, size, true), (sighting.Outcome, sighting.Bytes, sighting.IsUpload));
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(Uploads, "127.0.0.1", "board.log"), Cancel));
    }

    [Theory]
    [InlineData("there", "", 6)] // exists
    [InlineData("folder/new", "", 2)]
    [InlineData("../new", "", 2)]
    [InlineData("new", "tsize=100001", 3)]
    [InlineData("link", "", 6)] // would write where it leads
    public async Task A_write_that_is_not_allowed_is_refused_and_leaves_nothing(string path, string option, int error)
    {
        string own = Directory.CreateDirectory(Path.Combine(Uploads, "127.0.0.1")).FullName,
            outside = Path.Combine(_folder.FullName, "outside");
        await File.WriteAllTextAsync(Path.Combine(own, "there"), "old", Cancel);
        File.CreateSymbolicLink(Path.Combine(own, "link"), outside);
        using UdpClient board = await AskAsync(path, option.Length == 0 ? [] : [new(option.Split('=')[0], option.Split('=')[1])],
            opcode: TftpOpcode.WriteRequest);
        Assert.Equal([0, 5, 0, (byte)error], (await board.ReceiveAsync(Cancel)).Buffer[..4]);
        Assert.Equal(TftpOutcome.Refused, (await _observer.NextFetchedAsync()).Outcome);
        Assert.Equal(["link", "there"], Directory.EnumerateFiles(own).Select(Path.GetFileName).Order());
        Assert.Equal("old", await File.ReadAllTextAsync(Path.Combine(own, "there"), Cancel));
        Assert.False(File.Exists(outside));
    }

    [Fact]
    public async Task A_client_that_has_written_enough_files_writes_no_more()
    {
        string own = Directory.CreateDirectory(Path.Combine(Uploads, "127.0.0.1")).FullName;
        foreach (int i in Enumerable.Range(0, 3))
        {
            await File.WriteAllTextAsync(Path.Combine(own, $"{i}"), "", Cancel);
        }
        using UdpClient board = await AskAsync("new", [], opcode: TftpOpcode.WriteRequest);
        Assert.Equal([0, 5, 0, 3], (await board.ReceiveAsync(Cancel)).Buffer[..4]);
    }

    [Fact]
    public async Task A_write_that_grows_beyond_its_limit_or_breaks_off_leaves_nothing()
    {
        using UdpClient board = await AskAsync("log", [new("blksize", "1468")], opcode: TftpOpcode.WriteRequest);
        IPEndPoint port = (await board.ReceiveAsync(Cancel)).RemoteEndPoint;
        byte[] reply = [0, 4, 0, 0];
        for (int block = 1; reply[1] == 4; block++)
        {
            await board.SendAsync((byte[])[0, 3, (byte)(block >> 8), (byte)block, .. new byte[1468]], port, Cancel);
            reply = (await board.ReceiveAsync(Cancel)).Buffer;
        }
        Assert.Equal([0, 5, 0, 3], reply[..4]);
        Assert.Equal(TftpOutcome.Refused, (await _observer.NextFetchedAsync()).Outcome);

        using UdpClient other = await AskAsync("log", [], opcode: TftpOpcode.WriteRequest);
        port = (await other.ReceiveAsync(Cancel)).RemoteEndPoint;
        await other.SendAsync((byte[])[0, 3, 0, 1, .. new byte[512]], port, Cancel);
        await other.ReceiveAsync(Cancel);
        await other.SendAsync((byte[])[0, 5, 0, 0, 0], port, Cancel);
        Assert.Equal(TftpOutcome.Aborted, (await _observer.NextFetchedAsync()).Outcome);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Uploads, "127.0.0.1")));
    }
}
