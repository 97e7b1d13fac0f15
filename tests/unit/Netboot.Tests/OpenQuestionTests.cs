using System.Net;
using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Netboot.Tests;

/// <summary>What a client that asks again, while its answer waits for a probe, gets an answer to.</summary>
public sealed class OpenQuestionTests
{
    private static readonly DhcpInterface s_rack = new("rack0", IPAddress.Parse("10.77.0.1"), 24);

    private static DhcpQuestion Question(uint transaction) => new(PiMessages.Discover() with { TransactionId = transaction },
        DhcpMessageType.Discover, new IPEndPoint(IPAddress.Any, 68), s_rack, HeardAt: 0);

    [Fact]
    public void The_newest_transaction_is_answered()
    {
        DhcpQuestion first = Question(1), second = Question(2), third = Question(3);
        var open = new OpenQuestion(first);
        Assert.True(open.TryReplace(second));
        Assert.False(open.TryClose(first));
        Assert.True(open.TryReplace(third));
        Assert.Same(third, open.Newest);
        Assert.True(open.TryClose(third));
    }

    [Fact]
    public void A_repetition_changes_nothing()
    {
        DhcpQuestion first = Question(1);
        var open = new OpenQuestion(first);
        Assert.True(open.TryReplace(Question(1)));
        Assert.Same(first, open.Newest);
        Assert.True(open.TryClose(first));
    }

    /// <summary>It has one number for all its transactions, and repeats none of them within the time that it is kept waiting.</summary>
    [Fact]
    public void A_Pi_3_s_ROM_that_asks_again_has_begun_anew()
    {
        DhcpQuestion Rom(long heardAt) => new(PiMessages.Pi3(PiMessages.RomOf3b, asksForMask: false), DhcpMessageType.Discover,
            new IPEndPoint(IPAddress.Any, 68), s_rack, heardAt);
        DhcpQuestion first = Rom(1), second = Rom(2);
        var open = new OpenQuestion(first);
        Assert.True(open.TryReplace(second));
        Assert.False(open.TryClose(first));
        Assert.Same(second, open.Newest);
    }

    [Fact]
    public void What_comes_when_the_answer_is_on_its_way_is_a_question_of_its_own()
    {
        DhcpQuestion first = Question(1);
        var open = new OpenQuestion(first);
        Assert.True(open.TryClose(first));
        Assert.False(open.TryReplace(Question(2)));
        Assert.False(open.TryReplace(Question(1)));
    }
}
