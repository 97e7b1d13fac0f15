using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Protocol.Discovery;
using CsCheck;

namespace Bootstrap.Protocol.Tests;

public sealed class DiscoveryTests
{
    private static readonly string[] s_loopback = ["lo"];

    private static readonly Service s_slave = new(Service.Slave, new Dictionary<string, string> { ["port"] = "1" });

    [Fact]
    public void Messages_come_back_from_their_bytes()
    {
        DiscoveryMessage[] messages =
        [
            new Query("0123456789abcdef", 500, "default", "backend", "...."),
            new Answer("0123456789abcdef", "node-1", "host", "default", [s_slave]),
        ];
        Assert.All(messages, message => Assert.Equal(message.ToBytes(), DiscoveryMessage.Read(message.ToBytes())!.ToBytes()));
    }

    [Fact]
    public void Any_bytes_are_a_message_or_they_are_not_but_nothing_is_thrown() =>
        Gen.Byte.Array[0, 2000].Sample(bytes => { _ = DiscoveryMessage.Read(bytes); });

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"t\":\"query\",\"v\":3,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":1,\"mesh\":\"m\"}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":\"short\",\"windowMilliseconds\":1,\"mesh\":\"m\"}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":\"0123456789abcdef\",\"windowMilliseconds\":9999999,\"mesh\":\"m\"}")]
    [InlineData("{\"t\":\"query\",\"v\":2,\"nonce\":null,\"windowMilliseconds\":1,\"mesh\":\"m\"}")]
    [InlineData("{\"t\":\"other\",\"v\":2}")]
    [InlineData("[[[[[[[[[[[[]]]]]]]]]]]]")]
    [InlineData("null")]
    public void What_is_no_message_of_version_2_is_silently_ignored(string json) =>
        Assert.Null(DiscoveryMessage.Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public async Task Marco_finds_the_Polos_of_his_mesh_that_have_the_service()
    {
        using var stop = new CancellationTokenSource();
        Task polos = Task.WhenAll(
            Run("wanted", "m1", [s_slave], stop.Token),
            Run("other-mesh", "m2", [s_slave], stop.Token),
            Run("other-service", "m1", [new Service("else", new Dictionary<string, string>())], stop.Token));
        var marco = new Marco("m1", s_loopback, TimeProvider.System);
        string[] found = await FindAsync(marco, Service.Slave, "wanted");
        string[] all = await FindAsync(marco, null, "wanted", "other-service");
        await stop.CancelAsync();
        await polos;
        Assert.Equal(["wanted"], found);
        Assert.Equal(["other-service", "wanted"], all);
    }

    [Fact]
    public async Task A_short_question_from_a_stranger_gets_no_longer_answer()
    {
        using var stop = new CancellationTokenSource();
        string mesh = "m-" + Guid.NewGuid().ToString("n")[..8];
        Task polo = Run("talkative", mesh, [new Service("x", new Dictionary<string, string> { ["long"] = new('y', 600) })], stop.Token);
        Assert.Single(await FindAsync(new Marco(mesh, s_loopback, TimeProvider.System), null, "talkative"));

        using Socket socket = DiscoverySocket.Ask(DiscoverySocket.Interfaces(s_loopback).Single());
        byte[] bare = new Query("0123456789abcdef", 0, mesh, null).ToBytes();
        await socket.SendToAsync(bare, new IPEndPoint(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery), TestContext.Current.CancellationToken);
        using var silence = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await socket.ReceiveFromAsync(new byte[2000], new IPEndPoint(IPAddress.Any, 0), silence.Token));
        await stop.CancelAsync();
        await polo;
    }

    [Fact]
    public void One_source_gets_ten_answers_a_second_and_others_still_theirs()
    {
        var limit = new AnswerLimit(TimeProvider.System);
        Assert.Equal(AnswerLimit.PerSecond, Enumerable.Range(0, 50).Count(_ => limit.Allows(IPAddress.Parse("10.0.0.1"))));
        Assert.True(limit.Allows(IPAddress.Parse("10.0.0.2")));
    }

    private static Task Run(string id, string mesh, Service[] services, CancellationToken stop) =>
        new Polo(id, mesh, () => services, s_loopback, TimeProvider.System).RunAsync(stop);

    /// <summary>Asks until all of these have answered: Polos take a moment to join.</summary>
    private static async Task<string[]> FindAsync(Marco marco, string? service, params string[] expected)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var found = new SortedSet<string>();
            await foreach (Found answer in marco.AskAsync(service, TimeSpan.FromMilliseconds(400), patience.Token))
            {
                found.Add(answer.Id);
            }
            if (found.IsSupersetOf(expected))
            {
                return [.. found];
            }
        }
    }
}
