using System.Net.Sockets;
using System.Security.Cryptography;
using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Agent.Peers;
using Bootstrap.Link;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>A Slave that is told to measure, by its real program.</summary>
public sealed class BenchmarkTaskTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("benchmark-").FullName;
    private readonly NodeIdentity _identity = TestIdentity.Create("mac-525400000001");
    private readonly Guid _task = Guid.NewGuid();

    public void Dispose()
    {
        _identity.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_measures_and_tells_the_result_as_it_ends()
    {
        TaskEnded ended = await RunAsync(Order("crc32", new() { ["size"] = 1 << 16 }), s_end);
        Assert.True(ended.Succeeded, ended.Cause);
        BenchmarkResult result = ended.Benchmark!;
        Assert.True(result.IsSound);
        Assert.Equal(("crc32", 1L << 16), (result.Request.Kind, result.Request.Parameters["size"]));
        // How many are taken in three seconds is the machine's matter; what they say together is not.
        Assert.InRange(result.Samples.Count, 1, 200);
        Assert.InRange(result.Median, result.Samples.Min(), result.Samples.Max());
        Assert.InRange(result.Median, result.Low, result.High);
        Assert.InRange(result.Machine.MeasuredClock, 100, 10_000);
        Assert.Equal(Environment.ProcessorCount, result.Machine.Processors);
        Assert.InRange(result.Moments.Count, 2, 120);
        Assert.Equal(["tasks"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
        // The same after a restart of the Slave: it is asked for again, and nothing is measured twice.
        Assert.Equal(result.Samples, new TaskJournal(Path.Combine(_folder, "tasks")).Find(_task)!.Outcome!.Benchmark!.Samples);
    }

    [Fact]
    public async Task What_does_not_fit_into_memory_is_refused_with_the_sizes()
    {
        TaskEnded ended = await RunAsync(Order("memory-bandwidth", new() { ["size"] = 1L << 50 }), s_end);
        Assert.False(ended.Succeeded);
        Assert.Matches("^it takes [0-9]+ MB of memory, and the node has [0-9]+ MB left: choose a smaller size$", ended.Cause);
    }

    [Fact]
    public async Task A_benchmark_that_only_a_newer_Slave_knows_is_named()
    {
        TaskEnded ended = await RunAsync(Order("tomorrow", []), s_end);
        Assert.Equal("this node has no benchmark 'tomorrow': its Slave is older than the appliance", ended.Cause);
    }

    [Theory]
    [InlineData("node-send")]
    [InlineData("network-receive")]
    [InlineData("node-latency")]
    public async Task The_network_is_measured_against_another_node_that_was_asked_to_answer(string kind)
    {
        await using var other = new OtherEnd();
        BenchmarkPeer peer = await other.AskAsync();
        TaskEnded ended = await RunAsync(Order(kind, []) with { Plan = Order(kind, []).Plan with { Peer = peer } }, s_end);
        Assert.True(ended.Succeeded, ended.Cause);
        BenchmarkResult result = ended.Benchmark!;
        Assert.True(result.IsSound);
        Assert.Equal(("node-b", kind), (result.Peer, result.Request.Kind));
        Assert.True(result.Median > 0);
        Assert.Equal(["tasks"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Who_does_not_know_the_secret_measures_nothing_and_is_told_why()
    {
        await using var other = new OtherEnd();
        BenchmarkPeer stranger = await other.AskAsync() with { Secret = new byte[PeerSecrets.Length] };
        BenchmarkOrder order = Order("node-send", []);
        TaskEnded ended = await RunAsync(order with { Plan = order.Plan with { Peer = stranger } }, s_end);
        Assert.StartsWith("node-b ", ended.Cause, StringComparison.Ordinal);
        Assert.False(ended.Succeeded);
    }

    [Fact]
    public async Task Another_program_that_answers_in_the_place_of_the_other_node_is_found_out()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        Task impostor = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(s_end);
            byte[] any = new byte[1000];
            await client.GetStream().ReadAtLeastAsync(any, 1, cancellationToken: s_end);
            await client.GetStream().WriteAsync("HTTP/1.1 101 Switching Protocols\r\n\r\n"u8.ToArray(), s_end);
            await client.GetStream().WriteAsync(new byte[2 * PeerSecrets.Length], s_end);
            await client.GetStream().ReadAtLeastAsync(any, PeerSecrets.Length, cancellationToken: s_end);
        }, s_end);
        int port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var peer = new BenchmarkPeer("node-b", "127.0.0.1", port, RandomNumberGenerator.GetBytes(PeerSecrets.Length));
        TaskEnded ended = await RunAsync(Order("node-send", []) with { Plan = Order("node-send", []).Plan with { Peer = peer } }, s_end);
        Assert.Equal($"node-b is not who answers at 127.0.0.1, TCP port {port}: another program does", ended.Cause);
        await impostor;
    }

    [Fact]
    public async Task A_node_listens_for_as_long_as_it_was_asked_to_and_no_longer()
    {
        await using var other = new OtherEnd();
        other.Listener.Hear(new ServePeer([1, 2, 3], 60)); // not of this form
        other.Listener.Hear(new ServePeer(new byte[PeerSecrets.Length], ServePeer.MaximumSeconds + 1));
        BenchmarkPeer peer = await other.AskAsync();
        using (var one = new Socket(SocketType.Stream, ProtocolType.Tcp))
        {
            await one.ConnectAsync(peer.Host, peer.Port, s_end);
            other.Clock.Later = TimeSpan.FromSeconds(61);
            await LoopbackSlave.UntilAsync(() => other.Listener.Port == 0);
            // Who came before is put out.
            Assert.Equal(0, await one.ReceiveAsync(new byte[1], s_end));
        }
        byte[] secret = RandomNumberGenerator.GetBytes(PeerSecrets.Length);
        other.Listener.Hear(new ServePeer(secret, 60));
        await LoopbackSlave.UntilAsync(() => other.Listener.Port != 0);
        other.Listener.Hear(new ServePeer(secret, 0));
        await LoopbackSlave.UntilAsync(() => other.Listener.Port == 0);
        using var late = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(peer.Host, peer.Port, s_end).AsTask());
    }

    [Fact]
    public async Task It_ends_when_it_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        BenchmarkOrder hour = Order("naive-crc32", new() { ["size"] = 1 << 16 });
        Task<TaskEnded> running = RunAsync(hour with { Plan = hour.Plan with { SoakSeconds = 3600 } }, stop.Token);
        await LoopbackSlave.UntilAsync(() => Directory.EnumerateDirectories("/proc").Any(IsOurs));
        await stop.CancelAsync();
        Assert.True((await running).Cancelled);
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc"), IsOurs);
    }

    /// <summary>A node that others measure against, on a free port of loopback.</summary>
    private sealed class OtherEnd : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public OtherEnd()
        {
            Listener = new PeerListener(0, _ => { }, Clock);
            _running = Listener.RunAsync(_stop.Token);
        }

        public PeerListener Listener { get; }

        public LaterClock Clock { get; } = new();

        /// <summary>Asks it, as the appliance does, to answer for a minute.</summary>
        public async Task<BenchmarkPeer> AskAsync()
        {
            byte[] secret = RandomNumberGenerator.GetBytes(PeerSecrets.Length);
            Listener.Hear(new ServePeer(secret, 60));
            await LoopbackSlave.UntilAsync(() => Listener.Port != 0);
            return new BenchmarkPeer("node-b", "127.0.0.1", Listener.Port, secret);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }
    }

    private sealed class LaterClock : TimeProvider
    {
        public TimeSpan Later { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Later.TotalSeconds * TimestampFrequency);
    }

    private static BenchmarkOrder Order(string kind, Dictionary<string, long> parameters) =>
        new(new BenchmarkPlan(new BenchmarkRequest(kind, parameters, AllCores: false), 0, 3, 0, 60), 120, Again: false);

    /// <summary>Whether it is the process that measures for this test.</summary>
    private bool IsOurs(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Contains($"benchmark-{_task}.json", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task<TaskEnded> RunAsync(BenchmarkOrder order, CancellationToken cancellation)
    {
        string tasks = Path.Combine(_folder, "tasks");
        NodeSystem system = NodeSystem.This with
        {
            Slave = [new NodeSystem("/", Environment.GetEnvironmentVariable("PATH")!).Find("dotnet")!, "exec",
                Path.Combine(AppContext.BaseDirectory, "bootstrap-slave.dll")],
            State = _folder,
        };
        var runner = new TaskRunner(new TaskJournal(tasks), "boot-1", new NetInstStaging(_folder, _folder, () => _identity),
            new SystemPower(), new Outbox(), _ => { }, TimeProvider.System, system);
        Assert.Null(await runner.RunAsync(new StartTask(_task, order), new ApplianceEndpoint(System.Net.IPAddress.Loopback, 1),
            new Uri("http://127.0.0.1:1"), cancellation));
        return new TaskJournal(tasks).Find(_task)!.Outcome!;
    }
}
