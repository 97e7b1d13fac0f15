namespace Bootstrap.Protocol.Benchmarks;

/// <summary>A benchmark that every node knows.</summary>
/// <param name="Name">As it is written, such as <c>sha256</c>.</param>
/// <param name="Unit">Of a result: bytes/s, flop/s, ops/s, ns.</param>
/// <param name="Words">What it measures, for help.</param>
/// <param name="Parameters">What can be chosen.</param>
public sealed record BenchmarkKind(string Name, string Unit, string Words, IReadOnlyList<BenchmarkParameter> Parameters)
{
    /// <summary>Bytes, floating-point operations, operations of a card a second; nanoseconds.</summary>
    public const string BytesPerSecond = "bytes/s", FlopPerSecond = "flop/s", OperationsPerSecond = "ops/s", Nanoseconds = "ns";

    private static readonly BenchmarkParameter s_buffer =
        new("size", IsBytes: true, 1 << 10, 1 << 30, 1 << 20, "bytes that are worked on at a time");

    private static readonly BenchmarkParameter s_order = new("order", IsBytes: false, 16, 8192, 1000, "rows and columns of the matrices");

    private static readonly BenchmarkParameter s_file =
        new("size", IsBytes: true, 4 << 20, 16L << 30, 128 << 20, "bytes of the scratch file");

    /// <summary>All of them, in the order in which they are shown. Those that are called naive do the same in the way of Diperan
    /// (2015).</summary>
    public static IReadOnlyList<BenchmarkKind> All { get; } =
    [
        new("sha256", BytesPerSecond, "SHA-256 by OpenSSL", [s_buffer]),
        new("sha512", BytesPerSecond, "SHA-512 by OpenSSL", [s_buffer]),
        new("crc32", BytesPerSecond, "CRC-32 of gzip, by the processor's instructions for it", [s_buffer]),
        new("crc32c", BytesPerSecond, "CRC-32 of iSCSI (Castagnoli), by the processor's instructions for it", [s_buffer]),
        new("matrix-float", FlopPerSecond, "multiplication of matrices of 32-bit numbers, by vectors and in blocks", [s_order]),
        new("matrix-double", FlopPerSecond, "multiplication of matrices of 64-bit numbers, by vectors and in blocks", [s_order]),
        new("memory-bandwidth", BytesPerSecond, "STREAM's triad, over memory that no cache holds",
            [new("size", IsBytes: true, 1 << 20, 16L << 30, 192 << 20, "bytes of memory that are used")]),
        new("memory-latency", Nanoseconds, "time of an access to memory that depends on the one before",
            [new("size", IsBytes: true, 1 << 12, 4L << 30, 64 << 20, "bytes of memory that are walked through")]),
        new("card-read", BytesPerSecond, "reading a scratch file on the card from one end to the other, 1 MiB at a time", [s_file]),
        new("card-write", BytesPerSecond, "writing a scratch file on the card from one end to the other, 1 MiB at a time", [s_file]),
        new("card-random-read", OperationsPerSecond, "reading 4 KiB anywhere in a scratch file on the card", [s_file]),
        new("card-random-write", OperationsPerSecond, "writing 4 KiB anywhere in a scratch file on the card", [s_file]),
        new("network-send", BytesPerSecond, "sending to the appliance, over one TCP connection", []),
        new("network-receive", BytesPerSecond, "receiving from the appliance, over one TCP connection", []),
        new("network-latency", Nanoseconds, "time until 16 bytes are back from the appliance, over a TCP connection", []),
        new("node-send", BytesPerSecond, "sending to the next of the job's nodes, over one TCP connection", []),
        new("node-latency", Nanoseconds, "time until 16 bytes are back from the next of the job's nodes, over a TCP connection", []),
        new("naive-sha256", BytesPerSecond, "SHA-256 as FIPS 180-4 writes it down", [s_buffer]),
        new("naive-sha512", BytesPerSecond, "SHA-512 as FIPS 180-4 writes it down", [s_buffer]),
        new("naive-crc32", BytesPerSecond, "CRC-32 of gzip, bit by bit", [s_buffer]),
        new("naive-matrix-float", FlopPerSecond, "multiplication of matrices of 32-bit numbers, by three loops", [s_order]),
        new("naive-matrix-double", FlopPerSecond, "multiplication of matrices of 64-bit numbers, by three loops", [s_order]),
    ];

    /// <summary>It measures a card.</summary>
    public bool IsOfCard => Name.StartsWith("card-", StringComparison.Ordinal);

    /// <summary>Who is at the other end where it measures the network.</summary>
    public PeerKind Peer => Name.StartsWith("network-", StringComparison.Ordinal) ? PeerKind.Appliance
        : Name.StartsWith("node-", StringComparison.Ordinal) ? PeerKind.Node
        : PeerKind.None;

    /// <summary>It works by way of the kernel: what that does meanwhile is done for it.</summary>
    public bool WorksInKernel => IsOfCard || Peer != PeerKind.None;

    /// <summary>The one of that name; null: there is none.</summary>
    public static BenchmarkKind? Find(string name) => All.FirstOrDefault(kind => kind.Name == name);
}
