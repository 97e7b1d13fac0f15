using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Bootstrap.Benchmarks.Kernels;
using CsCheck;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>What kernels compute is right: against standards' own examples, and against another way of computing it.</summary>
public sealed class KernelTests
{
    /// <summary>Examples of FIPS 180-4 as NIST published them.</summary>
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void The_naive_SHA_256_is_SHA_256(string message, string digest)
    {
        byte[] found = new byte[SHA256.HashSizeInBytes];
        NaiveSha256.Hash(Encoding.ASCII.GetBytes(message), found);
        Assert.Equal(digest, Convert.ToHexStringLower(found));
    }

    [Fact]
    public void Both_naive_hashes_are_those_of_OpenSSL_for_messages_of_every_length() =>
        Gen.Byte.Array[0, 400].Sample(message =>
        {
            byte[] small = new byte[SHA256.HashSizeInBytes], large = new byte[SHA512.HashSizeInBytes];
            NaiveSha256.Hash(message, small);
            NaiveSha512.Hash(message, large);
            return small.AsSpan().SequenceEqual(SHA256.HashData(message)) && large.AsSpan().SequenceEqual(SHA512.HashData(message));
        });

    /// <summary>The check values of Ross Williams' parameters: of the ASCII digits 1 to 9.</summary>
    [Theory]
    [InlineData(Crc32.Iso, 0xcbf43926)]
    [InlineData(Crc32.Castagnoli, 0xe3069283)]
    public void Each_way_of_a_CRC_32_gives_its_check_value(uint polynomial, uint check)
    {
        var crc = new Crc32(polynomial);
        byte[] digits = "123456789"u8.ToArray();
        Assert.Equal((check, check, check), (crc.Compute(digits), crc.ComputeNaively(digits), ~crc.Append(uint.MaxValue, digits)));
    }

    [Theory]
    [InlineData(Crc32.Iso)]
    [InlineData(Crc32.Castagnoli)]
    public void The_fast_CRC_32_is_the_naive_one_for_messages_of_every_length_wherever_they_stand(uint polynomial)
    {
        var crc = new Crc32(polynomial);
        Gen.Select(Gen.Byte.Array[0, 14_000], Gen.Int[0, 63]).Sample((bytes, skip) =>
        {
            ReadOnlySpan<byte> message = bytes.AsSpan(Math.Min(skip, bytes.Length));
            return crc.Compute(message) == crc.ComputeNaively(message);
        }, iter: 300);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(96)]
    [InlineData(331)]
    public void Vectors_multiply_matrices_of_every_size(int n)
    {
        Check<float>(n, 1e-4);
        Check<double>(n, 1e-12);
    }

    [Fact]
    public void A_product_that_is_wrong_in_one_place_is_found_out()
    {
        using var matrix = new Matrix<double>(120, isNaive: false);
        matrix.Run(1);
        matrix.Verify();
        matrix.Product[(70 * 120) + 33] += 1e-6;
        Assert.Throws<WrongResultException>(matrix.Verify);
    }

    [Fact]
    public void A_digest_that_is_another_one_by_another_way_is_found_out()
    {
        using var hashing = new Hashing(NaiveSha256.Hash, (data, digest) =>
        {
            NaiveSha256.Hash(data, digest);
            digest[31] ^= 1;
        }, SHA256.HashSizeInBytes, 1000);
        hashing.Run(1);
        Assert.Throws<WrongResultException>(hashing.Verify);
    }

    [Fact]
    public void Memory_that_lost_a_bit_is_found_out()
    {
        using var memory = new MemoryBandwidth(3 << 20);
        memory.Run(1);
        memory.Verify();
        memory.Result[1234] = BitConverter.UInt64BitsToDouble(BitConverter.DoubleToUInt64Bits(memory.Result[1234]) ^ 1);
        Assert.Throws<WrongResultException>(memory.Verify);
    }

    /// <summary>What rounding alone does to large matrices is no fault, of either type; a value too many in one sum is.</summary>
    [Fact]
    public void A_large_product_is_found_right_each_time_and_a_missing_product_of_two_numbers_is_not()
    {
        using var single = new Matrix<float>(700, isNaive: false);
        using var exact = new Matrix<double>(700, isNaive: false);
        single.Run(1);
        exact.Run(1);
        for (int i = 0; i < 50; i++)
        {
            single.Verify();
            exact.Verify();
        }
        single.Product[^1] -= 0.25f;
        exact.Product[^1] -= 0.25;
        Assert.Throws<WrongResultException>(single.Verify);
        Assert.Throws<WrongResultException>(exact.Verify);
    }

    private static void Check<T>(int n, double allowed)
        where T : unmanaged, INumber<T>
    {
        var random = new Random(n);
        T[] a = Numbers(), b = Numbers(), c = Numbers();
        MatrixProduct<T>.Multiply(n, a, b, c, new MatrixProduct<T>.Workspace());
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = Enumerable.Range(0, n).Sum(k => double.CreateChecked(a[(i * n) + k]) * double.CreateChecked(b[(k * n) + j]));
                Assert.InRange(double.CreateChecked(c[(i * n) + j]), sum - (allowed * n), sum + (allowed * n));
            }
        }

        T[] Numbers() => [.. Enumerable.Range(0, n * n).Select(_ => T.CreateChecked(random.NextDouble() - 0.5))];
    }
}
