using Bootstrap.Imaging.Decoding;

namespace Bootstrap.Imaging.Tests;

/// <summary>Gives a stream's bytes up to a place, and the rest once a condition holds.</summary>
internal sealed class HeldStream(Stream stream, long place, Func<bool> condition) : ForwardStream
{
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(60);

    public override int Read(Span<byte> buffer)
    {
        if (stream.Position < place)
        {
            return stream.Read(buffer[..(int)Math.Min(buffer.Length, place - stream.Position)]);
        }
        if (!SpinWait.SpinUntil(condition, s_timeLimit))
        {
            throw new TimeoutException("what the rest of the stream waits for did not come");
        }
        return stream.Read(buffer);
    }
}
