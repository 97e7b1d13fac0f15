using System.Net;
using System.Net.Sockets;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Protocol.Tests;

/// <summary>By itself: everybody on loopback hears a flood.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class FloodCollection;

[Collection(typeof(FloodCollection))]
public sealed class DiscoveryFloodTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private static readonly Service s_slave = new(Service.Slave, new Dictionary<string, string> { ["port"] = "1" });

    [Fact]
    public async Task A_flood_from_one_source_neither_gets_many_answers_nor_keeps_others_from_theirs()
    {
        string mesh = TestPolo.NewMesh();
        await using var polo = await TestPolo.StartAsync("steady", [mesh], [s_slave]);
        using var stop = new CancellationTokenSource();
        int answers = 0, sent = 0;
        using Socket socket = DiscoverySocket.Ask(DiscoverySocket.Interfaces(TestPolo.Loopback).Single());
        Task count = Task.Run(async () =>
        {
            byte[] buffer = new byte[2000];
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await socket.ReceiveAsync(buffer, stop.Token);
                    answers++;
                }
                catch (OperationCanceledException)
                {
                }
            }
        }, s_end);
        long started = TimeProvider.System.GetTimestamp(), memory = GC.GetTotalMemory(forceFullCollection: true);
        Task flood = Task.Run(() =>
        {
            var group = new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);
            byte[] question = new Query("0123456789abcdef", 0, [mesh]).ToPaddedBytes();
            // A second of a fast attacker, at the least.
            while (!stop.IsCancellationRequested || sent < 50_000)
            {
                socket.SendTo(question, group);
                sent++;
            }
        }, s_end);
        // Another source on the same machine: loopback has many addresses, and a socket bound to one asks from it.
        byte[]? other = await DiscoveryTests.AskAsync(new Query("fedcba9876543210", 0, [mesh]).ToPaddedBytes(), TimeSpan.FromSeconds(20),
            IPAddress.Parse("127.0.0.77"), again: TimeSpan.FromMilliseconds(50));
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, s_end);
        await stop.CancelAsync();
        await Task.WhenAll(flood, count);
        long grown = GC.GetTotalMemory(forceFullCollection: true) - memory;
        double seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Assert.NotNull(other);
        Assert.InRange(answers, 1, SourceLimit.Answers * (int)(seconds + 2));
        Assert.InRange(grown, long.MinValue, 16 << 20);
        Assert.True(sent > 20 * answers, $"{sent} questions are no flood for {answers} answers");
    }
}
