namespace Bootstrap.Fuzz;

/// <summary>Something that takes packets from the network.</summary>
internal interface IFuzzTarget : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Sound packets, which damage starts from.</summary>
    IReadOnlyList<byte[]> Samples { get; }

    /// <summary>How many packets were answered: where it is none, the fuzz has tested nothing but the first check.</summary>
    long Answers { get; }

    /// <summary>Takes one packet, and throws where it must not.</summary>
    ValueTask TakeAsync(byte[] packet);

    /// <summary>Returns when all that the packets have started is over.</summary>
    Task SettleAsync();
}

/// <summary>Makes packets: sound ones with a few bytes changed, cut, doubled or grown, and now and then noise.</summary>
internal sealed class Damage(int seed)
{
    private const int MaxLength = 1500;

    private static readonly byte[] s_telling = [0, 1, 2, 3, 4, 5, 6, 8, 16, 43, 50, 52, 53, 54, 61, 77, 82, 93, 97, 127, 128, 254, 255];

    private readonly Random _random = new(seed);

    public byte[] Next(IReadOnlyList<byte[]> samples)
    {
        if (_random.Next(20) == 0)
        {
            byte[] noise = new byte[_random.Next(MaxLength)];
            _random.NextBytes(noise);
            return noise;
        }
        List<byte> packet = [.. samples[_random.Next(samples.Count)]];
        for (int changes = _random.Next(6); changes > 0 && packet.Count > 0; changes--)
        {
            // Most fields of interest lie behind the fixed header of DHCP, or in the first bytes.
            int at = _random.Next(4) == 0 ? _random.Next(Math.Min(packet.Count, 30)) : _random.Next(packet.Count);
            int length = Math.Min(_random.Next(1, 40), packet.Count - at);
            switch (_random.Next(7))
            {
                case 0:
                    packet[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    packet[at] = s_telling[_random.Next(s_telling.Length)];
                    break;
                case 2:
                    packet[at] = (byte)_random.Next(256);
                    break;
                case 3:
                    packet.RemoveRange(at, length);
                    break;
                case 4 when packet.Count + length < MaxLength:
                    packet.InsertRange(at, packet.GetRange(at, length));
                    break;
                case 5:
                    packet.RemoveRange(at, packet.Count - at);
                    break;
                case 6 when packet.Count + 300 < MaxLength:
                    packet.InsertRange(at, Enumerable.Repeat(s_telling[_random.Next(s_telling.Length)], _random.Next(300)));
                    break;
            }
        }
        return [.. packet];
    }
}
