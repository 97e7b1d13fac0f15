using System.Security.Cryptography;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>Makes the kernel of a benchmark.</summary>
public static class KernelFactory
{
    /// <param name="request">As <see cref="BenchmarkRequest.Read"/> gives it.</param>
    /// <param name="folder">Where a scratch file may be made.</param>
    /// <param name="peer">The other end, where the network is measured.</param>
    /// <returns>With its memory; one for each thread.</returns>
    /// <exception cref="OutOfMemoryException">The machine has not so much.</exception>
    /// <exception cref="IOException">The card failed, or the other end does not answer.</exception>
    public static Kernel Create(BenchmarkRequest request, string folder, BenchmarkPeer? peer = null)
    {
        int size = (int)Math.Min(request.Parameters.GetValueOrDefault("size"), int.MaxValue);
        int order = (int)request.Parameters.GetValueOrDefault("order");
        return request.Kind switch
        {
            // By the library that everything on the node uses: OpenSSL, with what the processor has for it.
            "sha256" => new Hashing(OpenSha256, NaiveSha256.Hash, SHA256.HashSizeInBytes, size),
            "sha512" => new Hashing(OpenSha512, NaiveSha512.Hash, SHA512.HashSizeInBytes, size),
            "crc32" => new Checksum(new Crc32(Crc32.Iso), isNaive: false, size),
            "crc32c" => new Checksum(new Crc32(Crc32.Castagnoli), isNaive: false, size),
            "matrix-float" => new Matrix<float>(order, isNaive: false),
            "matrix-double" => new Matrix<double>(order, isNaive: false),
            "memory-bandwidth" => new MemoryBandwidth(request.Parameters["size"]),
            "memory-latency" => new MemoryLatency(request.Parameters["size"]),
            "card-read" => new CardAccess(folder, request.Parameters["size"], isWriting: false, isRandom: false),
            "card-write" => new CardAccess(folder, request.Parameters["size"], isWriting: true, isRandom: false),
            "card-random-read" => new CardAccess(folder, request.Parameters["size"], isWriting: false, isRandom: true),
            "card-random-write" => new CardAccess(folder, request.Parameters["size"], isWriting: true, isRandom: true),
            "network-send" or "node-send" => new NetworkTransfer(Named(peer), isSending: true),
            "network-receive" => new NetworkTransfer(Named(peer), isSending: false),
            "network-latency" or "node-latency" => new NetworkLatency(Named(peer)),
            "naive-sha256" => new Hashing(NaiveSha256.Hash, OpenSha256, SHA256.HashSizeInBytes, size),
            "naive-sha512" => new Hashing(NaiveSha512.Hash, OpenSha512, SHA512.HashSizeInBytes, size),
            "naive-crc32" => new Checksum(new Crc32(Crc32.Iso), isNaive: true, size),
            "naive-matrix-float" => new Matrix<float>(order, isNaive: true),
            "naive-matrix-double" => new Matrix<double>(order, isNaive: true),
            _ => throw new ArgumentException($"there is no kernel of a benchmark '{request.Kind}'", nameof(request)),
        };
    }

    private static BenchmarkPeer Named(BenchmarkPeer? peer) =>
        peer ?? throw new IOException("nobody was named to measure the network against: the appliance is older than this node's Slave");

    private static void OpenSha256(ReadOnlySpan<byte> data, Span<byte> digest) => SHA256.HashData(data, digest);

    private static void OpenSha512(ReadOnlySpan<byte> data, Span<byte> digest) => SHA512.HashData(data, digest);

    /// <summary>Bytes of memory that all threads' kernels take, in about.</summary>
    /// <param name="threads">How many there are.</param>
    public static long MemoryOf(BenchmarkRequest request, int threads)
    {
        long size = request.Parameters.GetValueOrDefault("size"), order = request.Parameters.GetValueOrDefault("order");
        int number = request.Kind.EndsWith("double", StringComparison.Ordinal) ? sizeof(double) : sizeof(float);
        long data = request.Kind switch
        {
            // The ring is drawn before it is laid out.
            "memory-latency" => size + (size / 16),
            _ when IsOfCard(request) => size / CardAccess.PageBytes * sizeof(uint),
            _ => size + (3 * order * order * number),
        };
        // Blocks of a matrix and of a card.
        return threads * (data + (16 << 20));
    }

    /// <summary>Bytes of the card that all threads' scratch files take.</summary>
    /// <param name="threads">How many there are.</param>
    public static long ScratchOf(BenchmarkRequest request, int threads) => IsOfCard(request) ? threads * request.Parameters["size"] : 0;

    private static bool IsOfCard(BenchmarkRequest request) => BenchmarkKind.Find(request.Kind) is { IsOfCard: true };
}
