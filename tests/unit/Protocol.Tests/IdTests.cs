using System.Text.Json;
using Bootstrap.Protocol.Ids;
using CsCheck;

namespace Bootstrap.Protocol.Tests;

public sealed class IdTests
{
    [Fact]
    public void A_MAC_address_comes_back_from_its_text_and_its_bytes() => Gen.ULong[0, 0xffff_ffff_ffff].Sample(value =>
    {
        var mac = new MacAddress(value);
        byte[] bytes = new byte[6];
        mac.CopyTo(bytes);
        return MacAddress.FromBytes(bytes) == mac && MacAddress.TryParse(mac.ToString(), out MacAddress a) && a == mac &&
            MacAddress.TryParse(mac.ToString('-').ToUpperInvariant(), out MacAddress b) && b == mac;
    });

    [Fact]
    public void A_digest_comes_back_from_its_text_and_its_bytes() => Gen.Byte.Array[32].Sample(bytes =>
    {
        var digest = new Digest(bytes);
        byte[] copy = new byte[32];
        digest.CopyTo(copy);
        return copy.AsSpan().SequenceEqual(bytes) && Digest.TryParse(digest.ToString(), out Digest parsed) && parsed == digest;
    });

    [Fact]
    public void Any_text_is_an_id_or_it_is_not_but_nothing_is_thrown() => Gen.String.Sample(text =>
    {
        _ = MacAddress.TryParse(text, out _);
        _ = Digest.TryParse(text, out _);
        return !NodeId.TryParse(text, out NodeId id) || NodeId.Parse(id.ToString()) == id;
    });

    [Theory]
    [InlineData("10000000abcd1234", true)]
    [InlineData("77000000-0000-4000-8000-000000000001", true)]
    [InlineData("ab", false)]
    [InlineData("../etc", false)]
    [InlineData("the appliance", false)]
    [InlineData("image signer", false)]
    [InlineData("a\0b", false)]
    [InlineData(null, false)]
    public void A_node_id_is_safe_in_paths_and_certificates(string? text, bool good) => Assert.Equal(good, NodeId.TryParse(text, out _));

    [Fact]
    public void Ids_that_are_none_are_refused_in_JSON()
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<NodeId>("\"../x\""));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Digest>("\"12\""));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<MacAddress>("\"dc:a6\""));
    }
}
