using System.Buffers.Binary;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>Sends data to the other end, or receives them from there, and waits for the last byte: each is looked at where it
/// arrives.</summary>
internal sealed class NetworkTransfer : Kernel
{
    private readonly PeerConnection _peer;
    private readonly bool _isSending;
    private readonly byte[] _block = new byte[PeerService.BlockBytes];
    private long _wrong;

    /// <exception cref="IOException">The other end does not answer.</exception>
    public NetworkTransfer(BenchmarkPeer peer, bool isSending) => (_peer, _isSending) = (new PeerConnection(peer), isSending);

    /// <exception cref="IOException">The connection broke.</exception>
    public override double Run(long times)
    {
        long bytes = times * _block.Length;
        for (long left = bytes; left > 0; left -= Math.Min(left, PeerService.MostBytes))
        {
            Move(Math.Min(left, PeerService.MostBytes));
        }
        return bytes;
    }

    public override void Verify()
    {
        if (_wrong != 0)
        {
            throw new WrongResultException($"{_wrong} bytes have arrived otherwise than they were sent");
        }
    }

    protected override void Dispose(bool disposing) => _peer.Dispose();

    /// <param name="bytes">Whole blocks.</param>
    private void Move(long bytes)
    {
        _peer.Ask(_isSending ? PeerService.Take : PeerService.Give, bytes);
        for (long moved = 0; moved < bytes; moved += _block.Length)
        {
            if (_isSending)
            {
                _peer.Send(PeerService.Pattern.Span);
            }
            else
            {
                _peer.Receive(_block);
                _wrong += PeerService.Wrong(_block);
            }
        }
        if (_isSending)
        {
            Span<byte> right = stackalloc byte[sizeof(long)];
            _peer.Receive(right);
            _wrong += bytes - BinaryPrimitives.ReadInt64BigEndian(right);
        }
    }
}
