using Bootstrap.Netboot.Tftp;
using CsCheck;

namespace Bootstrap.Netboot.Tests;

public sealed class TftpTermsTests
{
    [Fact]
    public void Random_bytes_are_a_request_or_none_but_never_throw() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        if (TftpRequest.TryParse(bytes, out TftpRequest? request))
        {
            BootPath.TryNormalise(request.Path, out _);
            TftpTerms.TryNegotiate(request.Options, 1000, isUpload: false, out _, out _);
        }
        TftpRequest.TryParse([0, 1, .. bytes], out _);
    });

    [Fact]
    public void A_Pi_4_gets_every_option_confirmed()
    {
        Assert.True(TftpTerms.TryNegotiate([new("tsize", "0"), new("blksize", "1024")], 2256800, isUpload: false, out TftpTerms? terms,
            out _));
        Assert.Equal([new("tsize", "2256800"), new("blksize", "1024")], terms.Acknowledged);
        Assert.Equal((1024, 1), (terms.BlockSize, terms.WindowSize));
    }

    [Fact]
    public void Greedy_options_are_cut_to_what_is_kept_in_flight()
    {
        Assert.True(TftpTerms.TryNegotiate([new("blksize", "65464"), new("windowsize", "65535"), new("timeout", "3")], 1, isUpload: false,
            out TftpTerms? terms, out _));
        Assert.Equal((TftpTerms.LargestBlock, TftpTerms.LargestFlight / (TftpTerms.LargestBlock + 4), TimeSpan.FromSeconds(3)),
            (terms.BlockSize, terms.WindowSize, terms.Timeout));
    }

    [Theory]
    [InlineData("blksize", "7")]
    [InlineData("blksize", "65465")]
    [InlineData("blksize", "x")]
    [InlineData("blksize", "-1")]
    [InlineData("timeout", "0")]
    [InlineData("timeout", "256")]
    [InlineData("windowsize", "0")]
    [InlineData("tsize", "99999999999999999999")]
    public void Values_that_the_RFC_forbids_are_refused_by_name(string option, string value)
    {
        Assert.False(TftpTerms.TryNegotiate([new(option, value)], 1, isUpload: false, out _, out string reason));
        Assert.Contains(option, reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8")]
    [InlineData("512")]
    [InlineData("1468")]
    public void A_window_is_cut_to_the_bytes_in_flight_whatever_the_order_of_the_options(string block)
    {
        Assert.True(TftpTerms.TryNegotiate([new("windowsize", "65535"), new("blksize", block)], 1, isUpload: false, out TftpTerms? terms,
            out _));
        Assert.InRange(terms.WindowSize * (terms.BlockSize + 4), TftpTerms.LargestFlight - terms.BlockSize - 4, TftpTerms.LargestFlight);
        Assert.Contains(new("windowsize", $"{terms.WindowSize}"), terms.Acknowledged);
    }

    [Fact]
    public void The_size_of_text_is_not_told_as_it_is_not_known_before_it_is_sent()
    {
        Assert.True(TftpTerms.TryNegotiate([new("tsize", "0"), new("blksize", "1024")], null, isUpload: false, out TftpTerms? terms,
            out _));
        Assert.Equal([new("blksize", "1024")], terms.Acknowledged);
    }

    [Fact]
    public void Unknown_options_alone_are_not_confirmed()
    {
        Assert.True(TftpTerms.TryNegotiate([new("multicast", ""), new("utimeout", "5")], 1, isUpload: false, out TftpTerms? terms, out _));
        Assert.Empty(terms.Acknowledged);
    }

    [Fact]
    public void A_resend_waits_longer_each_time_and_follows_the_measured_round_trip()
    {
        var timer = new RetryTimer();
        Assert.Equal([1, 2, 4, 6, 6], [.. Enumerable.Range(1, 5).Select(n => timer.Wait(n, null).TotalSeconds)]);
        for (int i = 0; i < 50; i++)
        {
            timer = timer.With(TimeSpan.FromMilliseconds(900));
        }
        Assert.InRange(timer.Wait(1, null).TotalMilliseconds, 900, 1000);
        Assert.Equal(0.5, new RetryTimer().With(TimeSpan.FromMilliseconds(1)).Wait(1, null).TotalSeconds);
        Assert.Equal(3, timer.Wait(4, TimeSpan.FromSeconds(3)).TotalSeconds);
    }

    [Theory]
    [InlineData(0, -1, 0, 0L)] // the OACK
    [InlineData(1, -1, 0, null)]
    [InlineData(5, 4, 8, 5L)]
    [InlineData(4, 4, 8, null)] // confirmed already
    [InlineData(9, 4, 8, null)]
    [InlineData(0, 65535, 65536, 65536L)] // the counter rolls over
    [InlineData(2, 65534, 65540, 65538L)]
    [InlineData(65535, 65536, 65540, null)] // late, from before the roll-over
    public void A_block_number_of_16_bits_means_the_block_in_flight(int number, long after, long sent, long? block) =>
        Assert.Equal(block, TftpPacket.Expand((ushort)number, after, sent));
}
