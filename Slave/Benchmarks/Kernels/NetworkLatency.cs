using System.Buffers.Binary;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>How long the other end's answer takes: a few bytes go there and come back, one round after the other (netperf's
/// TCP_RR).</summary>
internal sealed class NetworkLatency : Kernel
{
    private readonly PeerConnection _peer;
    private readonly byte[] _sent = new byte[PeerService.QuestionBytes + PeerService.EchoBytes], _back = new byte[PeerService.EchoBytes];
    private long _round;
    private bool _isWrong;

    /// <exception cref="IOException">The other end does not answer.</exception>
    public NetworkLatency(BenchmarkPeer peer)
    {
        _peer = new PeerConnection(peer);
        _sent[0] = PeerService.Echo;
        BinaryPrimitives.WriteInt64BigEndian(_sent.AsSpan(1), PeerService.EchoBytes);
    }

    /// <exception cref="IOException">The connection broke.</exception>
    public override double Run(long times)
    {
        Span<byte> echo = _sent.AsSpan(PeerService.QuestionBytes);
        for (long i = 0; i < times; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(echo, ++_round);
            _peer.Send(_sent);
            _peer.Receive(_back);
            _isWrong |= !echo.SequenceEqual(_back);
        }
        return times;
    }

    public override void Verify()
    {
        if (_isWrong)
        {
            throw new WrongResultException("what has come back is not what was sent");
        }
    }

    protected override void Dispose(bool disposing) => _peer.Dispose();
}
