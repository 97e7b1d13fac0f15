using System.Net;
using Bootstrap.Netboot.Dhcp;

namespace Bootstrap.Netboot.Tests;

/// <summary>What a client that asks again, while its answer waits for a probe, gets an answer to.</summary>
public sealed class OpenQuestionTests
{
    private static readonly DhcpInterface s_rack = new("rack0", IPAddress.Parse("10.77.0.1"), 24);

    private static DhcpQuestion Question(uint transaction) => new(PiMessages.Discover() with { TransactionId = transaction },
        DhcpMessageType.Discover, new IPEndPoint(IPAddress.Any, 68), s_rack);

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
