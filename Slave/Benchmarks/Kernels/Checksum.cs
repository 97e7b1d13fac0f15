namespace Bootstrap.Benchmarks.Kernels;

/// <summary>CRC-32 of a buffer, tuned or bit by bit.</summary>
internal sealed class Checksum : Kernel
{
    private readonly Crc32 _crc;
    private readonly bool _isNaive;
    private readonly byte[] _data;
    private uint _last;

    /// <param name="crc">Which of both.</param>
    /// <param name="isNaive">Bit by bit.</param>
    /// <param name="bytes">How much at a time.</param>
    public Checksum(Crc32 crc, bool isNaive, int bytes)
    {
        (_crc, _isNaive, _data) = (crc, isNaive, new byte[bytes]);
        Random.Shared.NextBytes(_data);
    }

    public override double Run(long times)
    {
        for (long i = 0; i < times; i++)
        {
            _last = _isNaive ? _crc.ComputeNaively(_data) : _crc.Compute(_data);
        }
        return (double)times * _data.Length;
    }

    public override void Verify()
    {
        uint again = _isNaive ? ~_crc.Append(uint.MaxValue, _data) : _crc.ComputeNaively(_data);
        if (again != _last)
        {
            throw new WrongResultException($"the CRC-32 of the same {_data.Length} bytes is {_last:x8}, and {again:x8} by another way");
        }
    }
}
