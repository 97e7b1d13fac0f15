using System.Net;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tests;

/// <summary>A test of what DHCP decides, on a wire of its own and with a clock that stands.</summary>
public abstract class DhcpTest
{
    private protected static readonly DhcpInterface s_rack = new("rack0", IPAddress.Parse("10.77.0.1"), 24);
    private protected static readonly MacAddress s_other = new(0x525400000001);

    private protected readonly StoppedClock _clock = new();

    private protected Fixture Responder(AddressPlan? plan = null) => new(plan, _clock);

    private protected static AddressPlan Pool(string first, string last, string? router = null, string subnet = "10.77.0.0/24") => new()
    {
        Pools = [new AddressPool(IPNetwork.Parse(subnet), IPAddress.Parse(first), IPAddress.Parse(last), router is null ? null
            : IPAddress.Parse(router))],
    };

    private protected static DhcpOption Wish(string address) =>
        DhcpOption.Addresses(DhcpOptionCode.RequestedAddress, IPAddress.Parse(address));

    private protected static BootClientKind Kind(DhcpMessage message) => DhcpClient.Of(message).Kind;

    private protected sealed class Gate(bool admitted) : IBootGate
    {
        public bool Admits(MacAddress mac, DhcpClient client, DhcpMessageType asked) => admitted;
    }

    /// <summary>A responder on one wire, on which strangers have addresses.</summary>
    private protected sealed class Fixture(AddressPlan? plan, TimeProvider clock, IBootGate? gate = null)
    {
        private readonly DhcpResponder _responder =
            new(new DhcpServerOptions { HttpPort = 8080, Addresses = plan, Gate = gate }, new LeaseTable(new MemoryLeaseStore(), clock));

        public Dictionary<string, MacAddress> Strangers { get; } = [];

        public DhcpMessage? Answer(DhcpMessage request, BootClientKind kind, DhcpInterface at) =>
            Answer(request, DhcpClient.Of(request) with { Kind = kind }, at);

        public DhcpMessage? Answer(DhcpMessage request) => Answer(request, DhcpClient.Of(request), s_rack);

        public DhcpMessage? AnswerBootServer(DhcpMessage request, BootClientKind kind, DhcpInterface at) =>
            _responder.AnswerBootServer(request, _responder.Admit(request, DhcpClient.Of(request) with { Kind = kind }), at);

        private DhcpMessage? Answer(DhcpMessage request, DhcpClient client, DhcpInterface at)
        {
            ValueTask<DhcpMessage?> answer = _responder.AnswerAsync(request, _responder.Admit(request, client), at,
                (address, _) => new(Strangers.TryGetValue(address.ToString(), out MacAddress mac) ? mac : null), CancellationToken.None);
            Assert.True(answer.IsCompleted, "nothing here waits");
            return answer.GetAwaiter().GetResult();
        }
    }

    private protected sealed class StoppedClock : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Advance(TimeSpan time) => _now += time;
    }
}
