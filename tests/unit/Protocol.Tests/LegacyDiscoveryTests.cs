using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Legacy;
using CsCheck;

namespace Bootstrap.Protocol.Tests;

/// <summary>The 2015 protocol: what its programs send and take, byte for byte, over real multicast on loopback.</summary>
public sealed class LegacyDiscoveryTests : IAsyncLifetime
{
    private const string Group = "224.0.0.112", Other = "224.0.0.113";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    // Others on this machine may answer in these groups, too.
    private readonly string _name = "s" + Guid.NewGuid().ToString("n")[..12];
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        Service[] services =
        [
            new(_name, new Dictionary<string, string> { ["port"] = "80" }),
            new(_name + "-other", new Dictionary<string, string>(), [Other]),
        ];
        var node = new NodeDescription(
            "id", "host", new Identity("slave", "test", "host"), new Dictionary<string, string> { ["mark"] = _name }, services);
        var wires = new Wires(TestPolo.Loopback, TimeProvider.System);
        var legacy = new LegacyPolo(LegacyMessage.Groups, () => node, TestPolo.Loopback, TimeProvider.System);
        wires.Add(legacy);
        _running = Task.WhenAll(wires.RunAsync(_stop.Token), legacy.RunAsync(_stop.Token));
        while (await AskAsync(Group, $$"""{"Command":"Request-For","Params":"{{_name}}"}""") is null)
        {
            // Not there yet.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    [Theory]
    [InlineData("""{"Command":"Request-For","Params":"NAME"}""", """{"Command":"OK","Params":{"port":"80"}}""")]
    [InlineData("""{"Command":"Request-for","Params":"NAME"}""", """{"Command":"OK","Params":{"port":"80"}}""")]
    [InlineData("""{"Command":"Marco"}""", """{"Command":"Polo","Params":{"mark":"NAME","hostname":"host"}}""")]
    [InlineData("""{"Command":"Discover"}""", """{"Command":"Polo","Params":{"mark":"NAME","hostname":"host"}}""")]
    [InlineData("""{"Command":"Services"}""", """{"Command":"OK","Services":[{"id":"NAME","params":{"port":"80"}}]}""")]
    public async Task Questions_of_2015_get_the_answers_of_2015(string question, string answer) =>
        Assert.Equal(answer.Replace("NAME", _name, StringComparison.Ordinal),
        await AskAsync(Group, question.Replace("NAME", _name, StringComparison.Ordinal)));

    [Fact]
    public async Task Absent_services_and_those_of_another_group_are_answered_by_silence()
    {
        Assert.Null(await AskAsync(Group, """{"Command":"Request-For","Params":"nobody-has-this"}"""));
        Assert.Null(await AskAsync(Group, $$"""{"Command":"Request-For","Params":"{{_name}}-other"}"""));
        Assert.NotNull(await AskAsync(Other, $$"""{"Command":"Request-For","Params":"{{_name}}-other"}"""));
    }

    [Fact]
    public async Task Marco_of_2015_finds_a_service_filters_and_excludes()
    {
        var marco = new LegacyMarco(TestPolo.Loopback, TimeProvider.System);
        var search = new Search { Timeout = TimeSpan.FromMilliseconds(300), Retries = 3 };
        Assert.Single(await FindAsync(marco, search));
        Assert.Single(await FindAsync(
            marco, search with { Filter = new NodeFilter(Parameters: new Dictionary<string, string> { ["port"] = "80" }) }));
        Assert.Empty(await FindAsync(
            marco, search with { Filter = new NodeFilter(Parameters: new Dictionary<string, string> { ["port"] = "81" }) }));
        Assert.Empty(await FindAsync(marco, search with { Exclude = ["127.0.0.1"] }));
    }

    [Fact]
    public void What_the_2015_Polo_sent_is_understood()
    {
        LegacyMessage.Reply reply = LegacyMessage.ReadReply(Encoding.UTF8.GetBytes(
            """{"Command": "Polo", "Params": "{'hostname': 'martin', u'x': u'y'}"}"""))!;
        Assert.Equal(("martin", "y"), (reply.Parameters["hostname"], reply.Parameters["x"]));
        reply = LegacyMessage.ReadReply(Encoding.UTF8.GetBytes("""{"Command":"OK","Params":{"n":1,"b":true,"z":null}}"""))!;
        Assert.Equal(("1", "true", ""), (reply.Parameters["n"], reply.Parameters["b"], reply.Parameters["z"]));
        reply = LegacyMessage.ReadReply(Encoding.UTF8.GetBytes(
            """{"Command":"OK","Services":[{"id":"a","params":{"p":"q"}},7,{"id":5},null]}"""))!;
        Assert.Equal("q", Assert.Single(reply.Services!).Parameters["p"]);
    }

    [Fact]
    public void Any_bytes_are_a_question_a_reply_or_nothing_but_nothing_is_thrown()
    {
        void Read(byte[] bytes)
        {
            _ = LegacyMessage.ReadQuestion(bytes);
            _ = LegacyMessage.ReadReply(bytes);
        }
        Gen.Byte.Array[0, 200].Sample(Read);
        byte[] whole = Encoding.UTF8.GetBytes("""{"Command":"OK","Params":"{'a':'b'}","Services":[{"id":"a","params":{"p":"q"}}]}""");
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Array[1, 4].Sample(damage =>
        {
            byte[] bytes = [.. whole];
            Array.ForEach(damage, d => bytes[d.Item1] = d.Item2);
            Read(bytes);
        });
        Read(Encoding.UTF8.GetBytes(new string('[', 4000)));
        Read(Encoding.UTF8.GetBytes("""{"Command":"OK","Command":"OK","Params":{"a":1,"a":2}}"""));
        Read(Encoding.UTF8.GetBytes("""{"Command":"Marco","Command":"Marco"}"""));
    }

    private async Task<List<LegacyNode>> FindAsync(LegacyMarco marco, Search search)
    {
        var found = new List<LegacyNode>();
        await foreach (LegacyNode node in marco.FindAsync(Group, _name, search, s_end))
        {
            found.Add(node);
        }
        return found;
    }

    /// <summary>Our node's answer to a question, others' passed over; null if it is silent.</summary>
    private async Task<string?> AskAsync(string group, string question)
    {
        using Socket socket = DiscoverySocket.Ask(DiscoverySocket.Interfaces(TestPolo.Loopback).Single());
        byte[] buffer = new byte[5000];
        for (int i = 0; i < 4; i++)
        {
            socket.SendTo(Encoding.UTF8.GetBytes(question), new IPEndPoint(IPAddress.Parse(group), ServicePorts.Discovery));
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(s_end);
            silence.CancelAfter(TimeSpan.FromMilliseconds(300));
            try
            {
                while (true)
                {
                    string answer = Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, silence.Token));
                    if (answer.Contains(_name, StringComparison.Ordinal) || question.Contains(_name, StringComparison.Ordinal))
                    {
                        return answer;
                    }
                }
            }
            catch (OperationCanceledException) when (!s_end.IsCancellationRequested)
            {
                // Silence: a source has only so many answers a second, and tests share it.
            }
        }
        return null;
    }
}
