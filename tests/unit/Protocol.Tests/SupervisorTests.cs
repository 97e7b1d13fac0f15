namespace Bootstrap.Protocol.Tests;

/// <summary>Loops that run beside each other, of which none dies unnoticed.</summary>
public sealed class SupervisorTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_component_that_fails_ends_all_with_its_reason()
    {
        bool hasEnded = false;
        var fails = new TaskCompletionSource();
        Task all = Supervisor.RunAsync(s_end, new("waiting", async stop =>
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            }
            finally
            {
                hasEnded = true;
            }
        }), new("reading", _ => fails.Task));
        Assert.False(all.IsCompleted);
        fails.SetException(new InvalidOperationException("the socket has gone"));
        ComponentException failure = await Assert.ThrowsAsync<ComponentException>(() => all);
        Assert.Equal("reading failed: the socket has gone", failure.Message);
        Assert.True(hasEnded);
    }

    [Fact]
    public async Task A_component_that_fails_before_it_waits_for_anything_is_noticed_as_well()
    {
        ComponentException failure = await Assert.ThrowsAsync<ComponentException>(() => Supervisor.RunAsync(s_end,
            new("forever", stop => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop)),
            new("binding", _ => throw new IOException("the port is taken"))));
        Assert.Equal("binding failed: the port is taken", failure.Message);
    }

    [Fact]
    public async Task All_end_without_a_word_when_they_are_asked_to_and_one_that_is_done_ends_alone()
    {
        using var stop = new CancellationTokenSource();
        Task all = Supervisor.RunAsync(stop.Token, new("done", _ => Task.CompletedTask),
            new("forever", cancelled => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancelled)));
        Assert.False(all.IsCompleted);
        await stop.CancelAsync();
        await all;
    }
}
