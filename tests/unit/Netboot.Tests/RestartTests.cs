using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bootstrap.Netboot.Tftp;

namespace Bootstrap.Netboot.Tests;

/// <summary>A board whose power fails in the middle of its boot, and which then begins again at the same ports.</summary>
public sealed class RestartTests : TftpTest
{
    private const int Seed = 20_150_601;

    private static readonly byte[] s_earlyTerminate = [0, 5, 0, 0, .. "Early terminate\0"u8];

    /// <summary>What a Raspberry Pi 3 does, shortened: its ROM asks for bootsig.bin from the port of bootcode.bin (firmware#745).</summary>
    private static readonly Step[] s_boot =
    [
        new(0, "bootcode.bin", ""), new(0, "bootsig.bin", "", Step.Outcome.Missing),
        new(1, "01eeffc0/start.elf", "tsize=0", Step.Outcome.Missing), new(2, "start.elf", "tsize=0", Step.Outcome.Probed),
        new(3, "config.txt", "tsize=0 blksize=1024"), new(4, "start.elf", "tsize=0"), new(4, "fixup.dat", "tsize=0"),
        new(5, "kernel8.img", "tsize=0 blksize=1468"),
    ];

    [Fact]
    public async Task A_board_that_is_restarted_at_20_random_instants_always_boots_from_the_same_ports()
    {
        foreach ((string name, int size) in new[]
        {
            ("bootcode.bin", 5_000), ("config.txt", 100), ("start.elf", 60_000), ("fixup.dat", 1_024), ("kernel8.img", 150_000),
        })
        {
            _files[name] = RandomNumberGenerator.GetBytes(size);
        }
        using var whole = new Rom(_server.LocalEndPoint.Port, int.MaxValue, cutsBeforeAnswer: false);
        await CheckAsync(whole, "the boot without a power cut");
        TestContext.Current.SendDiagnosticMessage("seed {0}, {1} packets", Seed, whole.Heard);

        var random = new Random(Seed);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => RestartAsync(random.Next(1, whole.Heard), random.Next(2) == 0,
            TimeSpan.FromMilliseconds(random.Next(1_500)))));
    }

    private async Task RestartAsync(int powerCutAt, bool cutsBeforeAnswer, TimeSpan off)
    {
        using var rom = new Rom(_server.LocalEndPoint.Port, powerCutAt, cutsBeforeAnswer);
        await Assert.ThrowsAsync<PowerCutException>(() => rom.BootAsync(Cancel));
        await Task.Delay(off, TimeProvider.System, Cancel);
        await CheckAsync(rom, $"seed {Seed}, power cut at packet {powerCutAt}, " +
            $"{(cutsBeforeAnswer ? "before" : "after")} its answer, for {off.TotalMilliseconds} ms");
    }

    private async Task CheckAsync(Rom rom, string what)
    {
        IReadOnlyDictionary<string, byte[]> loaded = await rom.BootAsync(Cancel);
        foreach ((string name, byte[] content) in _files)
        {
            Assert.True(loaded.TryGetValue(name, out byte[]? got) && got.AsSpan().SequenceEqual(content), $"{name}; {what}");
        }
    }

    private sealed class PowerCutException : Exception;

    /// <param name="Port">Which of the board's ports it asks from.</param>
    private sealed record Step(int Port, string Path, string Options, Step.Outcome Ends = Step.Outcome.Fetched)
    {
        public enum Outcome
        {
            Fetched,
            Missing,
            Probed,
        }
    }

    /// <summary>
    /// A boot ROM. Without power it hears nothing, and nobody is told so: its ports stay open, and what came to them is lost.
    /// </summary>
    private sealed class Rom(int server, int powerCutAt, bool cutsBeforeAnswer) : IDisposable
    {
        private const int Tries = 6;
        private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(1);

        private readonly UdpClient[] _ports =
            [.. Enumerable.Range(0, 1 + s_boot.Max(step => step.Port)).Select(_ => new UdpClient(new IPEndPoint(IPAddress.Loopback, 0)))];

        /// <summary>Packets that were heard of transfers.</summary>
        public int Heard { get; private set; }

        public async Task<IReadOnlyDictionary<string, byte[]>> BootAsync(CancellationToken cancel)
        {
            foreach (UdpClient port in _ports)
            {
                while (port.Available > 0)
                {
                    await port.ReceiveAsync(cancel);
                }
            }
            var loaded = new Dictionary<string, byte[]>();
            foreach (Step step in s_boot)
            {
                byte[]? content = await AskAsync(_ports[step.Port], step, cancel);
                Assert.Equal(step.Ends == Step.Outcome.Missing, content is null);
                if (step.Ends == Step.Outcome.Fetched)
                {
                    loaded[step.Path] = content!;
                }
            }
            return loaded;
        }

        public void Dispose() => Array.ForEach(_ports, port => port.Dispose());

        private async Task<byte[]?> AskAsync(UdpClient socket, Step step, CancellationToken cancel)
        {
            byte[] packet = new byte[512];
            int length = new TftpRequest(TftpOpcode.ReadRequest, step.Path, "octet",
                [.. step.Options.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('='))
                    .Select(o => new KeyValuePair<string, string>(o[0], o[1]))]).Write(packet);
            byte[] request = packet[..length], last = request;
            IPEndPoint peer = new(IPAddress.Loopback, server);
            int block = 0, size = 512;
            var content = new MemoryStream();
            for (int tries = 0; tries < Tries; tries++)
            {
                await socket.SendAsync(last, peer, cancel);
                while (await ReceiveAsync(socket, cancel) is { } received)
                {
                    byte[] data = received.Buffer;
                    // What an earlier transfer sends again is neither an option reply nor the block that comes next.
                    bool opens = last == request && data[1] is 3 or 5 or 6 && (data[1] != 3 || data[3] == 1);
                    if (!opens && !received.RemoteEndPoint.Equals(peer))
                    {
                        continue;
                    }
                    bool isOff = ++Heard == powerCutAt;
                    if (isOff && cutsBeforeAnswer)
                    {
                        throw new PowerCutException();
                    }
                    peer = received.RemoteEndPoint;
                    if (data[1] == 5)
                    {
                        return isOff ? throw new PowerCutException() : null;
                    }
                    if (step.Ends == Step.Outcome.Probed)
                    {
                        await socket.SendAsync(s_earlyTerminate, peer, cancel);
                        return isOff ? throw new PowerCutException() : [];
                    }
                    bool ended = false;
                    if (data[1] == 6)
                    {
                        string[] words = Encoding.ASCII.GetString(data.AsSpan(2)).Split('\0');
                        size = Array.IndexOf(words, "blksize") is >= 0 and var at ? int.Parse(words[at + 1]) : size;
                        last = [0, 4, 0, 0];
                    }
                    else if ((data[2] << 8 | data[3]) == block + 1)
                    {
                        block++;
                        content.Write(data.AsSpan(4));
                        last = [0, 4, data[2], data[3]];
                        ended = data.Length - 4 < size;
                    }
                    await socket.SendAsync(last, peer, cancel);
                    if (isOff)
                    {
                        throw new PowerCutException();
                    }
                    if (ended)
                    {
                        return content.ToArray();
                    }
                    tries = 0;
                }
            }
            throw new TimeoutException($"{step.Path} did not come after {Tries} requests");
        }

        private static async Task<UdpReceiveResult?> ReceiveAsync(UdpClient socket, CancellationToken cancel)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            timeout.CancelAfter(s_timeLimit);
            try
            {
                return await socket.ReceiveAsync(timeout.Token);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                return null;
            }
        }
    }
}
