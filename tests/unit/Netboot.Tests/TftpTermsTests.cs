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
            TftpTerms.Negotiate(request.Options, 1000, isUpload: false);
        }
        TftpRequest.TryParse([0, 1, .. bytes], out _);
    });

    [Fact]
    public void A_Pi_4_gets_every_option_confirmed()
    {
        TftpTerms terms = Settle("tsize=0 blksize=1024", length: 2256800);
        Assert.Equal([new("tsize", "2256800"), new("blksize", "1024")], terms.Acknowledged);
        Assert.Equal((1024, 1), (terms.BlockSize, terms.WindowSize));
    }

    [Fact]
    public void Greedy_options_are_cut_to_what_is_kept_in_flight()
    {
        TftpTerms terms = Settle("blksize=65464 windowsize=65535 timeout=3");
        Assert.Equal((TftpTerms.LargestBlock, TftpTerms.LargestFlight / (TftpTerms.LargestBlock + 4), TimeSpan.FromSeconds(3)),
            (terms.BlockSize, terms.WindowSize, terms.Timeout));
    }

    [Theory]
    [InlineData("blksize=65465", "blksize=1468")] // larger than its RFC knows: less may be granted
    [InlineData("blksize=99999999999999999999", "blksize=1468")]
    [InlineData("windowsize=65536", "windowsize=95")]
    [InlineData("tsize=99999999999999999999", "tsize=1")] // a reader's tsize says nothing
    [InlineData("tsize=", "tsize=1")]
    [InlineData("blksize=7", "")] // more than was asked for may not be granted, and less is no block
    [InlineData("blksize=x", "")]
    [InlineData("blksize=-1", "")]
    [InlineData("blksize=+1024", "")]
    [InlineData("blksize=", "")]
    [InlineData("timeout=0", "")] // a time-out stands as it is asked for, or not at all
    [InlineData("timeout=256", "")]
    [InlineData("windowsize=0", "")]
    [InlineData("timeout=0 tsize=0 blksize=1", "tsize=1")] // the others are as good as without it
    public void A_value_that_its_RFC_does_not_know_is_lowered_or_passed_over(string asked, string confirmed)
    {
        TftpTerms terms = Settle(asked);
        Assert.Equal(confirmed, string.Join(' ', terms.Acknowledged.Select(option => $"{option.Key}={option.Value}")));
        Assert.Equal(confirmed.StartsWith("blksize", StringComparison.Ordinal) ? 1468 : 512, terms.BlockSize);
    }

    [Theory]
    [InlineData("blksize=1024 blksize=512", "blksize=1024")]
    [InlineData("timeout=3 tsize=0 timeout=9", "timeout=3 tsize=1")]
    [InlineData("blksize=2 blksize=1024", "")] // the first one counts, for what it is worth
    public void An_option_that_comes_twice_counts_as_it_came_first(string asked, string confirmed) => Assert.Equal(confirmed,
        string.Join(' ', Settle(asked).Acknowledged.Select(option => $"{option.Key}={option.Value}")));

    [Theory]
    [InlineData(1472, "1468", 1468)]
    [InlineData(1000 - 28, "1468", 968)]
    [InlineData(1000 - 28, "512", 512)]
    [InlineData(65_507, "9000", 1468)] // no network that boots carries more
    [InlineData(68 - 28, "1468", 36)]
    public void No_block_is_larger_than_what_the_route_carries_in_one_piece(int packet, string asked, int granted) => Assert.Equal(granted,
        TftpTerms.Negotiate([new("blksize", asked)], 1, isUpload: false, packet).BlockSize);

    [Theory]
    [InlineData("tsize=500", 500L)]
    [InlineData("tsize=99999999999999999999", long.MaxValue)] // too large for all purposes, and refused as such
    [InlineData("tsize=much", null)]
    public void The_size_of_a_file_that_the_client_sends_is_what_it_says(string asked, long? size) =>
        Assert.Equal(size, TftpTerms.Negotiate(Options(asked), null, isUpload: true).Size);

    [Theory]
    [InlineData("8")]
    [InlineData("512")]
    [InlineData("1468")]
    public void A_window_is_cut_to_the_bytes_in_flight_whatever_the_order_of_the_options(string block)
    {
        TftpTerms terms = Settle($"windowsize=65535 blksize={block}");
        Assert.InRange(terms.WindowSize * (terms.BlockSize + 4), TftpTerms.LargestFlight - terms.BlockSize - 4, TftpTerms.LargestFlight);
        Assert.Contains(new("windowsize", $"{terms.WindowSize}"), terms.Acknowledged);
    }

    [Fact]
    public void The_size_of_text_is_not_told_as_it_is_not_known_before_it_is_sent() =>
        Assert.Equal([new("blksize", "1024")], TftpTerms.Negotiate(Options("tsize=0 blksize=1024"), null, isUpload: false).Acknowledged);

    [Fact]
    public void Unknown_options_alone_are_not_confirmed() => Assert.Empty(Settle("multicast= utimeout=5").Acknowledged);

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

    private static TftpTerms Settle(string asked, long length = 1) => TftpTerms.Negotiate(Options(asked), length, isUpload: false);

    /// <summary>"tsize=0 blksize=1024".</summary>
    private static KeyValuePair<string, string>[] Options(string asked) =>
        [.. asked.Split(' ').Select(option => option.Split('=')).Select(o => KeyValuePair.Create(o[0], o[1]))];
}
