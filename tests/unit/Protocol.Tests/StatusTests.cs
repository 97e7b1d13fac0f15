using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol.Status;
using CsCheck;

namespace Bootstrap.Protocol.Tests;

/// <summary>What is told of a node's status, and who may watch it.</summary>
public class StatusTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_watcher_who_hears_the_changes_knows_every_value_to_its_step_and_at_last_exactly()
    {
        string[] keys = [Metrics.Busy, MetricKey.Of(Metrics.Busy, "0"), Metrics.Temperature, Metrics.MemoryAvailable, "of.a.newer.program"];
        Gen.Dictionary(Gen.Int[0, keys.Length - 1].Select(i => keys[i]), Gen.Double[0, 100])[0, 5].Array[1, 30].Sample(series =>
        {
            (var changes, var watched) = (new StatusChanges(), new WatchedStatus());
            StatusReading last = null!;
            for (int second = 0; second < series.Length; second++)
            {
                last = new StatusReading(1000L * second, series[second], new Dictionary<string, string>(), []);
                Tell(changes, last, watched);
                Assert.Equal(last.Values.Keys.Order(), watched.Values.Keys.Order());
                Assert.All(last.Values, value =>
                    Assert.InRange(Math.Abs(value.Value - watched.Values[value.Key]), 0, Metrics.Find(value.Key)?.Step ?? 0));
            }
            Tell(changes, last with { At = last.At + (long)StatusChanges.Latest.TotalMilliseconds }, watched);
            Assert.Equal(last.Values.OrderBy(v => v.Key), watched.Values.OrderBy(v => v.Key));
        }, iter: 300);
    }

    [Fact]
    public void Nothing_is_told_of_what_has_not_changed_but_a_sign_of_life_every_two_seconds()
    {
        var changes = new StatusChanges();
        StatusReading At(long milliseconds) => new(milliseconds, new Dictionary<string, double> { [Metrics.Load1] = 1 },
            new Dictionary<string, string> { [StatusFact.Kernel] = "6.12" }, []);
        Assert.True(changes.Next(At(0))!.Whole);
        Assert.Null(changes.Next(At(1000)));
        StatusMessage sign = changes.Next(At(2000))!;
        Assert.Equal((1, false, 0), (sign.Sequence, sign.Whole, sign.Values.Count));
        Assert.Null(sign.Facts);
        Assert.Null(changes.Next(At(3000)));
    }

    [Fact]
    public void What_a_watcher_did_not_ask_for_is_not_told_him()
    {
        var reading = new StatusReading(0, new Dictionary<string, double>
        {
            [Metrics.Temperature] = 50,
            [MetricKey.Of(Metrics.Temperature, "cpu")] = 50,
            [Metrics.Busy] = 3,
        }, new Dictionary<string, string> { [StatusFact.Kernel] = "6.12" }, [new ProcessReading(1, "init", 1, 1)]);
        StatusMessage message = new StatusChanges().Next(reading, new HashSet<string> { Metrics.Temperature })!;
        Assert.Equal(["temperature", "temperature[cpu]"], message.Values.Keys.Order());
        Assert.Null(message.Facts);
        Assert.Null(message.Processes);
    }

    [Fact]
    public void A_message_that_was_missed_is_noticed_and_a_whole_state_mends_it()
    {
        var watched = new WatchedStatus();
        Assert.NotNull(watched.Take(Message(3)));
        Assert.Null(watched.Take(Message(7, whole: true)));
        Assert.Null(watched.Take(Message(8)));
        Assert.Equal("message 10 came, 9 was to come", watched.Take(Message(10)));
        Assert.Null(watched.Take(Message(11, whole: true)));
        Assert.Equal(["load.1"], watched.Values.Keys);

        static StatusMessage Message(long sequence, bool whole = false) =>
            new(sequence, 0, whole, new Dictionary<string, double?> { [whole ? Metrics.Load1 : Metrics.Busy] = whole ? 1 : null });
    }

    [Theory]
    [InlineData("""{"sequence":0,"at":0,"whole":true,"values":{"load.1":1e308}}""", "a value that no machine has")]
    [InlineData("""{"sequence":0,"at":0,"whole":true,"values":{"load.1":-1e19}}""", "a value that no machine has")]
    [InlineData("""{"sequence":0,"at":0,"whole":true,"values":{"":1}}""", "a name that is empty")]
    [InlineData("""{"sequence":0,"at":0,"whole":true,"values":{},"processes":[null]}""", "a process that cannot be")]
    [InlineData("""{"sequence":0,"at":0,"whole":true,"values":{},"processes":[{"id":1,"name":"x","busy":1e300,"memory":0}]}""",
        "a process")]
    [InlineData("""{"sequence":0,"at":0,"whole":true,"values":{"load.1":1}}""", null)]
    [InlineData("""{"sequence":0,"at":0,"whole":true,"values":{"load.1":null},"facts":{"kernel":null}}""", null)]
    public void A_node_that_lies_is_found_out(string json, string? fault)
    {
        string? found = JsonSerializer.Deserialize(json, ProtocolJson.Default.StatusMessage)!.Validate();
        Assert.Equal(fault is null, found is null);
        Assert.StartsWith(fault ?? "", found ?? "");
    }

    [Fact]
    public void No_more_is_taken_of_a_node_than_a_machine_has()
    {
        static StatusMessage Of(IEnumerable<string> keys, Dictionary<string, string?>? facts = null) =>
            new(0, 0, true, keys.ToDictionary(key => key, _ => (double?)1), facts);
        Assert.Null(Of(Enumerable.Range(0, 2000).Select(i => $"disk.read[sd{i}]")).Validate());
        Assert.NotNull(Of(Enumerable.Range(0, 10_000).Select(i => $"disk.read[sd{i}]")).Validate());
        Assert.NotNull(Of([new string('x', 200)]).Validate());
        Assert.NotNull(Of([], new() { ["kernel"] = new string('x', 10 << 20) }).Validate());
        // Little by little it is not more, either.
        var watched = new WatchedStatus();
        Assert.Null(watched.Take(Of(Enumerable.Range(0, 2000).Select(i => $"a[{i}]"))));
        Assert.NotNull(watched.Take(Of(Enumerable.Range(0, 2000).Select(i => $"b[{i}]")) with { Sequence = 1, Whole = false }));
    }

    [Fact]
    public void A_token_opens_the_one_node_that_it_is_for_until_its_time_is_over()
    {
        (X509Certificate2 authority, ECDsa key) = Authority();
        var token = new StatusToken("10000000aaaa0001", Guid.NewGuid(), s_now.AddMinutes(5).ToUnixTimeSeconds(), "somebody");
        string text = token.Sign(key);
        Assert.Equal(token, StatusToken.Read(text, authority, token.Node, s_now, out string? fault));
        Assert.Null(fault);
        Assert.Equal("the token is for another node", FaultOf(text, "10000000aaaa0002", s_now));
        Assert.Equal("the token's time is over", FaultOf(text, token.Node, s_now.AddMinutes(5)));
        Assert.Equal("the token is good for longer than one may be", FaultOf(text, token.Node, s_now.AddMinutes(-6)));
        (_, ECDsa other) = Authority();
        Assert.Equal("the token is not this appliance's", FaultOf(token.Sign(other), token.Node, s_now));

        string? FaultOf(string anybodys, string node, DateTimeOffset now)
        {
            Assert.Null(StatusToken.Read(anybodys, authority, node, now, out string? why));
            return why;
        }
    }

    [Fact]
    public void A_text_that_differs_in_any_character_and_any_other_text_is_no_token()
    {
        (X509Certificate2 authority, ECDsa key) = Authority();
        string text = new StatusToken("n", Guid.NewGuid(), s_now.AddMinutes(1).ToUnixTimeSeconds(), "h").Sign(key);
        for (int i = 0; i < text.Length; i++)
        {
            char other = text[i] == 'A' ? 'Q' : 'A';
            string changed = text[..i] + other + text[(i + 1)..];
            Assert.Null(StatusToken.Read(changed, authority, "n", s_now, out _));
            Assert.Null(StatusToken.Read(text[..i], authority, "n", s_now, out _));
        }
        // What the CA signs for other purposes is no token: a signature over the bare payload.
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(
            new StatusToken("n", Guid.NewGuid(), s_now.AddMinutes(1).ToUnixTimeSeconds(), "h"), ProtocolJson.Default.StatusToken);
        string bare = Base64Url.EncodeToString(key.SignData(payload, HashAlgorithmName.SHA256));
        Assert.Null(StatusToken.Read($"{Base64Url.EncodeToString(payload)}.{bare}", authority, "n", s_now, out _));
        Gen.String.Sample(anything => Assert.Null(StatusToken.Read(anything, authority, "n", s_now, out _)), iter: 1000);
        Assert.Null(StatusToken.Read(new string('A', 1 << 20), authority, "n", s_now, out _));
    }

    private static void Tell(StatusChanges changes, StatusReading reading, WatchedStatus watched)
    {
        if (changes.Next(reading) is { } message)
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Default.StatusMessage);
            Assert.Null(watched.Take(JsonSerializer.Deserialize(json, ProtocolJson.Default.StatusMessage)!));
        }
    }

    private static (X509Certificate2 Certificate, ECDsa Key) Authority()
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256).CreateSelfSigned(s_now, s_now.AddDays(1)), key);
    }
}
