using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Relay;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using CsCheck;

namespace Bootstrap.Board.Tests;

/// <summary>A relay on loopback whose peer, the test, does not keep to the rules, and strangers who ask it.</summary>
public sealed class RelayHostileTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private static readonly string[] s_loopback = ["lo"];
    private static readonly IPEndPoint s_group = new(IPAddress.Parse(DiscoveryMessage.Group), ServicePorts.Discovery);

    private readonly string _mesh = "m-" + Guid.NewGuid().ToString("n")[..8];
    private readonly X509Certificate2 _authority = TestIdentity.CreateAuthority();
    private readonly NodeIdentity _own, _peer;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _patience = CancellationTokenSource.CreateLinkedTokenSource(s_end);
    private readonly Socket _wire = DiscoverySocket.Listen(DiscoverySocket.Interfaces(s_loopback).Single());
    private readonly Socket _asker = DiscoverySocket.Ask(DiscoverySocket.Interfaces(s_loopback).Single());
    private readonly byte[] _buffer = new byte[2000];
    private EndPoint? _heardFrom;
    private Task _running = Task.CompletedTask;
    private TcpClient _connection = new();
    private SslStream _link = null!;

    public RelayHostileTests()
    {
        (_own, _peer) = (TestIdentity.Issue(_authority, "here"), TestIdentity.Issue(_authority, "there"));
        _patience.CancelAfter(TimeSpan.FromSeconds(60));
    }

    public async ValueTask InitializeAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var wires = new Wires(s_loopback, TimeProvider.System);
        var links = new RelayLinks(new RelayFile([new RelayPeer("there")], port), _authority, () =>
            _own, new Revocations(null, _ => { }), _ => { }, TimeProvider.System);
        var relay = new DiscoveryRelay("here", [_mesh], wires, links, new ServiceRegistry([]), TimeProvider.System);
        wires.Add(relay);
        _running = Task.WhenAll(wires.RunAsync(_stop.Token), relay.RunAsync(_stop.Token));
        while (true)
        {
            try
            {
                await _connection.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), _patience.Token);
                break;
            }
            catch (SocketException)
            {
                _connection.Dispose();
                _connection = new TcpClient();
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, _patience.Token);
            }
        }
        _link = new SslStream(_connection.GetStream());
        await _link.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "here",
            ClientCertificateContext = SslStreamCertificateContext.Create(_peer.Certificate, null, offline: true),
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        }, _patience.Token);
        while (wires.Current.Count == 0 || links.Current.Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, _patience.Token);
        }
    }

    [Fact]
    public async Task A_relay_survives_whatever_its_peer_sends_and_carries_the_next_question()
    {
        DiscoveryMessage[] whole =
        [
            new Query(Query.NewNonce(), 500, [_mesh], new NodeFilter("backend"), KnownNodes.Of(["x"], 8)[0]) { Path = ["there"] },
            new Answer(Query.NewNonce(), [_mesh], new NodeDescription(
            "x", "x", new Identity("slave", "test", "x"), new Dictionary<string, string>(), []), 0) { Origin = "10.2.0.9:1" },
            new Beat("x", _mesh, 7, new byte[16], 1) { Path = ["there"] },
            new Farewell("x", _mesh, new byte[16]) { Path = ["there"] },
            new ProbeRequest(Query.NewNonce(), _mesh, "x", "10.2.0.9", 1),
            new Signed("{}"u8.ToArray(), [1], new byte[64]),
        ];
        byte[][] originals = [.. whole.Select(message => message.ToBytes())];
        Gen<byte[]> damaged =
            from original in Gen.Int[0, originals.Length - 1].Select(i => originals[i])
            from damage in Gen.Select(Gen.Int[0, original.Length - 1], Gen.Byte).Array[0, 4]
            from length in Gen.OneOf(Gen.Const(original.Length), Gen.Int[0, original.Length])
            select Damage(original, damage, length);
        var frames = new List<byte[]>();
        damaged.Sample(frame =>
        {
            lock (frames)
            {
                frames.Add(frame);
            }
        });
        foreach (byte[] frame in frames)
        {
            await SendAsync(frame);
        }
        Query question = new(Query.NewNonce(), 0, [_mesh]);
        await SendAsync((question with { Path = ["there"] }).ToBytes());
        Assert.Equal(["there", "here"], (await HearAsync(query => query.Nonce == question.Nonce)).Path);
    }

    [Fact]
    public async Task A_stranger_gets_nothing_through_a_relay_that_is_longer_than_his_question()
    {
        Query question = new(Query.NewNonce(), 0, [_mesh]);
        byte[] asked = question.ToPaddedBytes(400);
        _asker.SendTo(asked, s_group);
        while (DiscoveryMessage.Read(await ReceiveAsync()) is not Query carried || carried.Nonce != question.Nonce)
        {
            // Signs of life.
        }
        Answer answer = new(question.Nonce, [_mesh],
            new NodeDescription("x", "x", new Identity("slave", "test", "x"), new Dictionary<string, string>(), []), 0);
        string bare = System.Text.Encoding.UTF8.GetString(answer.ToBytes());
        // Longer as it comes, and longer only as it would be said again: a letter of two bytes takes six when it is escaped.
        await SendAsync((answer with
        {
            Node =
            answer.Node with { Parameters = new Dictionary<string, string> { ["text"] = new('x', 400) } }
        }).ToBytes());
        byte[] swelling = System.Text.Encoding.UTF8.GetBytes(
            bare.Replace("\"hostName\":\"x\"", $"\"hostName\":\"{new string('ü', 40)}\"", StringComparison.Ordinal));
        Assert.InRange(DiscoveryMessage.Read(swelling)!.ToBytes().Length, asked.Length + 1, DiscoveryMessage.MaximumBytes);
        Assert.InRange(swelling.Length, 1, asked.Length);
        await SendAsync(swelling);
        await SendAsync(answer.ToBytes());
        int length = await _asker.ReceiveAsync(_buffer, _patience.Token);
        Assert.Equal("x", Assert.IsType<Answer>(DiscoveryMessage.Read(_buffer.AsSpan(0, length))).Node.HostName);
        Assert.InRange(length, 1, asked.Length);
    }

    [Fact]
    public async Task A_question_that_two_relays_say_at_the_same_moment_is_answered_and_its_repetition_is_said()
    {
        Query question = new(Query.NewNonce(), 0, [_mesh]);
        await SendAsync((question with { Path = ["there"] }).ToPaddedBytes(900));
        Query said = await HearAsync(query => query.Nonce == question.Nonce);
        EndPoint relay = _heardFrom!;
        // The other relay of this network: it has said the same question, and this one hears it.
        byte[] others = (question with { Path = ["there too", "beside"] }).ToPaddedBytes(900);
        _asker.SendTo(others, s_group);
        await HearAsync(query => query.Nonce == question.Nonce && query.Path!.Contains("beside"));
        while (DiscoveryMessage.Read(await ReceiveAsync()) is not Query carried || carried.Path?.Contains("beside") != true)
        {
            // Once it is carried on, the relay has taken it in.
        }
        Answer answer = new(question.Nonce, [_mesh],
            new NodeDescription("x", "x", new Identity("slave", "test", "x"), new Dictionary<string, string>(), []), 0);
        _asker.SendTo(answer.ToBytes(), relay);
        while (DiscoveryMessage.Read(await ReceiveAsync()) is not Answer)
        {
            // Signs of life.
        }
        await SendAsync((question with { Path = ["there"], Round = 1 }).ToPaddedBytes(900));
        Query again = await HearAsync(query => query.Nonce == question.Nonce && query.Path![^1] == "here" && query.Round > 0);
        Assert.Equal((said.Nonce, 1), (again.Nonce, again.Round));
    }

    [Fact]
    public async Task What_a_peer_says_of_other_meshes_is_not_said_here()
    {
        Query foreign = new(Query.NewNonce(), 0, ["of-somebody-else"]), own = new(Query.NewNonce(), 0, [_mesh, "of-somebody-else"]);
        await SendAsync((foreign with { Path = ["there"] }).ToBytes());
        await SendAsync((own with { Path = ["there"] }).ToBytes());
        // In the order in which they came, so the first one would be heard first.
        Query heard = await HearAsync(query => query.Nonce == foreign.Nonce || query.Nonce == own.Nonce);
        Assert.Equal(own.Nonce, heard.Nonce);
        Assert.Equal([_mesh], heard.Meshes);
    }

    [Fact]
    public async Task A_frame_that_is_too_long_ends_the_link()
    {
        await _link.WriteAsync(new byte[] { 0xff, 0xff }, _patience.Token);
        await _link.FlushAsync(_patience.Token);
        while (true)
        {
            try
            {
                if (await _link.ReadAsync(_buffer, _patience.Token) == 0)
                {
                    break;
                }
            }
            catch (IOException)
            {
                break;
            }
        }
        Assert.False(_running.IsCompleted);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _link.DisposeAsync();
        _connection.Dispose();
        _wire.Dispose();
        _asker.Dispose();
        _own.Dispose();
        _peer.Dispose();
        _authority.Dispose();
        _stop.Dispose();
        _patience.Dispose();
    }

    private static byte[] Damage(byte[] original, (int At, byte Value)[] damage, int length)
    {
        byte[] bytes = [.. original];
        Array.ForEach(damage, d => bytes[d.At] = d.Value);
        return bytes[..length];
    }

    private async Task SendAsync(byte[] message)
    {
        byte[] frame = new byte[sizeof(ushort) + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)message.Length);
        message.CopyTo(frame, sizeof(ushort));
        await _link.WriteAsync(frame, _patience.Token);
    }

    private async Task<byte[]> ReceiveAsync()
    {
        byte[] head = new byte[sizeof(ushort)];
        await _link.ReadExactlyAsync(head, _patience.Token);
        byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        await _link.ReadExactlyAsync(message, _patience.Token);
        return message;
    }

    /// <summary>The next question on the wire that fits.</summary>
    private async Task<Query> HearAsync(Func<Query, bool> fits)
    {
        while (true)
        {
            SocketReceiveFromResult received = await _wire.ReceiveFromAsync(_buffer, new IPEndPoint(IPAddress.Any, 0), _patience.Token);
            if (DiscoveryMessage.Read(_buffer.AsSpan(0, received.ReceivedBytes)) is Query query && fits(query))
            {
                _heardFrom = received.RemoteEndPoint;
                return query;
            }
        }
    }
}
