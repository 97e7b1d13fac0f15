using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bootstrap.Protocol.Benchmarks;

/// <summary>
/// What the other end of a benchmark of the network does, on a connection that was upgraded (RFC 9110, 7.8) to <see cref="Word"/>. It sends
/// a challenge, is answered by a proof that the other end knows a secret, and proves the same by that proof. Then it is asked, as often as
/// the other end likes, in nine bytes: what to do, and with how many bytes (big endian). All data are <see cref="Pattern"/>, again and
/// again, so that both ends see whether they arrive as they were sent.
/// </summary>
public static class PeerService
{
    /// <summary>Path and protocol of the upgrade.</summary>
    public const string Path = "/benchmark", Word = "bootstrap-benchmark.1";

    /// <summary>What is asked for: data are taken, and answered by how many bytes of them were right (8 bytes, big endian); given; or come
    /// back as they are, <see cref="EchoBytes"/> of them.</summary>
    public const byte Take = 1, Give = 2, Echo = 3;

    /// <summary>Of a question, and of an echo.</summary>
    public const int QuestionBytes = 1 + sizeof(long), EchoBytes = 16;

    /// <summary>Data come in blocks of so many bytes, and at most so many are asked for at once.</summary>
    public const int BlockBytes = 1 << 16;

    /// <inheritdoc cref="BlockBytes"/>
    public const long MostBytes = 4L << 30;

    private static readonly TimeSpan s_proofLimit = TimeSpan.FromSeconds(10);

    /// <summary>A block of data: numbers as xorshift makes them (Marsaglia 2003).</summary>
    public static ReadOnlyMemory<byte> Pattern { get; } = MakePattern();

    /// <summary>Serves one connection until its other end closes it, asks for what cannot be, or has had its time.</summary>
    /// <param name="stream">Stays the caller's.</param>
    /// <param name="secrets">Who is answered.</param>
    /// <param name="proven">Told once the other end is no stranger any more; null: nobody is.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task ServeAsync(
        Stream stream, PeerSecrets secrets, TimeProvider clock, Action? proven, CancellationToken cancellation)
    {
        using var time = new CancellationTokenSource(s_proofLimit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellation);
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            byte[] challenge = RandomNumberGenerator.GetBytes(PeerSecrets.Length), proof = new byte[PeerSecrets.Length];
            await stream.WriteAsync(challenge, either.Token).ConfigureAwait(false);
            await stream.ReadExactlyAsync(proof, either.Token).ConfigureAwait(false);
            using PeerSecrets.Admission? admission = secrets.Admit(challenge, proof);
            if (admission is not null)
            {
                time.CancelAfter(admission.Left);
                proven?.Invoke();
                await stream.WriteAsync(PeerSecrets.ProofOf(admission.Secret, proof), either.Token).ConfigureAwait(false);
                await AnswerAsync(stream, block.AsMemory(0, BlockBytes), either.Token).ConfigureAwait(false);
            }
        }
        catch (EndOfStreamException)
        {
            // It has what it wanted, or gave up.
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Its time is over.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>Bytes of a block that are not as they were sent.</summary>
    /// <param name="block">As it arrived.</param>
    public static int Wrong(ReadOnlySpan<byte> block)
    {
        int same = block.CommonPrefixLength(Pattern.Span);
        return same == block.Length ? 0 : block.Length - same;
    }

    private static async Task AnswerAsync(Stream stream, Memory<byte> block, CancellationToken cancellation)
    {
        byte[] question = new byte[QuestionBytes], answer = new byte[Math.Max(sizeof(long), EchoBytes)];
        while (true)
        {
            await stream.ReadExactlyAsync(question, cancellation).ConfigureAwait(false);
            long bytes = BinaryPrimitives.ReadInt64BigEndian(question.AsSpan(1));
            if (bytes is < 0 or > MostBytes)
            {
                return;
            }
            switch (question[0])
            {
                case Take:
                    long wrong = 0;
                    for (long taken = 0; taken < bytes; taken += block.Length)
                    {
                        Memory<byte> part = block[..(int)Math.Min(block.Length, bytes - taken)];
                        await stream.ReadExactlyAsync(part, cancellation).ConfigureAwait(false);
                        wrong += Wrong(part.Span);
                    }
                    BinaryPrimitives.WriteInt64BigEndian(answer, bytes - wrong);
                    await stream.WriteAsync(answer.AsMemory(0, sizeof(long)), cancellation).ConfigureAwait(false);
                    break;
                case Give:
                    for (long given = 0; given < bytes; given += Pattern.Length)
                    {
                        ReadOnlyMemory<byte> next = Pattern[..(int)Math.Min(Pattern.Length, bytes - given)];
                        await stream.WriteAsync(next, cancellation).ConfigureAwait(false);
                    }
                    break;
                case Echo:
                    await stream.ReadExactlyAsync(answer.AsMemory(0, EchoBytes), cancellation).ConfigureAwait(false);
                    await stream.WriteAsync(answer.AsMemory(0, EchoBytes), cancellation).ConfigureAwait(false);
                    break;
                default:
                    return;
            }
        }
    }

    private static byte[] MakePattern()
    {
        byte[] block = new byte[BlockBytes];
        ulong state = 88172645463325252;
        for (int i = 0; i < block.Length; i += sizeof(ulong))
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            BinaryPrimitives.WriteUInt64LittleEndian(block.AsSpan(i), state);
        }
        return block;
    }
}
