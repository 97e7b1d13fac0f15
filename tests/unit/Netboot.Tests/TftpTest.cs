using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bootstrap.Netboot.Tftp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

/// <summary>A test with a TFTP server of its own, which takes uploads, on a port that is free.</summary>
public abstract class TftpTest : IAsyncLifetime
{
    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private protected readonly Dictionary<string, byte[]> _files = [];
    private protected readonly RecordingObserver _observer = new();
    private readonly CancellationTokenSource _stop = new();
    private protected readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tftp-test-");
    private protected TftpServer _server = null!;
    private Task _running = null!;

    private protected string Uploads => Path.Combine(_folder.FullName, "uploads");

    /// <summary>By which the server sends again what is not acknowledged.</summary>
    private protected virtual TimeProvider Clock => TimeProvider.System;

    /// <summary>The hardware address behind each.</summary>
    private protected virtual Func<IPAddress, MacAddress?> Neighbours => NeighbourTable.Find;

    private protected int Port => _server.LocalEndPoint.Port;

    public ValueTask InitializeAsync()
    {
        _server = TftpServer.Open(new TftpServerOptions
        {
            // Of both families: IPv4 clients come by it as well.
            EndPoint = new IPEndPoint(IPAddress.IPv6Any, 0),
            Neighbours = Neighbours,
            Uploads = new TftpUploads(Uploads) { MaxBytes = 100_000, MaxFiles = 3 },
        }, new Files(_files), _observer, Clock);
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

    /// <summary>Sends a request as a board does.</summary>
    /// <returns>Its socket, to which the answers come.</returns>
    private protected async Task<UdpClient> AskAsync(string path, KeyValuePair<string, string>[] options, string mode = "octet",
        TftpOpcode opcode = TftpOpcode.ReadRequest)
    {
        byte[] packet = new byte[512];
        int length = new TftpRequest(opcode, path, mode, options).Write(packet);
        var board = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await board.SendAsync(packet.AsMemory(0, length), new IPEndPoint(IPAddress.Loopback, Port), Cancel);
        return board;
    }

    /// <summary>Runs a client to its end, which is to be a good one.</summary>
    private protected static async Task RunAsync(string[] command)
    {
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancel);
        string errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        // tftp-hpa tells of an error on its output and ends with 0.
        Assert.True(process.ExitCode == 0 && !(await output).Contains("rror", StringComparison.Ordinal), $"{command[0]}: {errors} " +
            $"{await output}");
    }

    private protected sealed class Files(Dictionary<string, byte[]> files) : IBootFiles
    {
        public BootFile? Find(BootClient client, string path) => files.TryGetValue(path, out byte[]? content) ? new MemoryBootFile(content)
            : null;
    }
}
