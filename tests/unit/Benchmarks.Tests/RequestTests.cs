using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Tests;

public sealed class RequestTests
{
    [Theory]
    [InlineData("sha3", "", "", "there is no benchmark 'sha3': sha256, sha512, crc32")]
    [InlineData("sha256", "speed", "7", "sha256 has no parameter 'speed': size")]
    [InlineData("sha256", "size", "many", "sha256: 'many' is no size: write it as 4KiB, 64MiB or 2GiB")]
    [InlineData("sha256", "size", "-4KiB", "sha256: '-4KiB' is no size")]
    [InlineData("sha256", "size", "16777216TiB", "sha256: '16777216TiB' is no size")]
    [InlineData("sha256", "size", "9223372036854775807GiB", "sha256: '9223372036854775807GiB' is no size")]
    [InlineData("sha256", "size", "2GiB", "sha256: size is 1KiB to 1GiB, and not 2GiB")]
    [InlineData("matrix-float", "order", "1MiB", "matrix-float: '1MiB' is no whole number")]
    [InlineData("matrix-float", "order", "9000", "matrix-float: order is 16 to 8192, and not 9000")]
    public void What_cannot_be_measured_is_one_sentence(string kind, string name, string value, string sentence)
    {
        Dictionary<string, string> parameters = name.Length == 0 ? [] : new() { [name] = value };
        Assert.Null(BenchmarkRequest.Read(kind, parameters, allCores: false, out string? fault));
        Assert.StartsWith(sentence, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_named_is_the_kinds_own()
    {
        BenchmarkRequest request = BenchmarkRequest.Read("sha256", new Dictionary<string, string>(), allCores: true, out string? fault)!;
        Assert.Null(fault);
        Assert.Equal(("sha256", 1 << 20, true), (request.Kind, request.Parameters["size"], request.AllCores));
    }

    [Fact]
    public void A_value_is_written_as_it_is_read()
    {
        foreach (BenchmarkParameter parameter in BenchmarkKind.All.SelectMany(kind => kind.Parameters))
        {
            foreach (long value in new[] { parameter.Least, parameter.Default, parameter.Most, parameter.Least + 1 })
            {
                Assert.Null(parameter.Read(parameter.Write(value), out long read));
                Assert.Equal(value, read);
            }
        }
    }
}
