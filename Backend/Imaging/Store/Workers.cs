namespace Bootstrap.Imaging.Store;

/// <summary>Work that computes, blocks and waits for other work: each piece has a thread of its own, none of the pool's.</summary>
internal static class Workers
{
    /// <summary>Runs all pieces at once and ends when each of them has.</summary>
    /// <param name="onFailure">Called when a piece fails or is cancelled: makes the others end, too.</param>
    /// <returns>Fails as the piece did that failed, not as those that were cancelled because of it.</returns>
    public static async Task RunAsync(Action onFailure, params Action[] pieces)
    {
        List<Task> running = [.. pieces.Select(OnThreadAsync)];
        Task all = Task.WhenAll(running);
        while (running.Count > 0)
        {
            Task ended = await Task.WhenAny(running).ConfigureAwait(false);
            if (!ended.IsCompletedSuccessfully)
            {
                onFailure();
            }
            running.Remove(ended);
        }
        await all.ConfigureAwait(false);
    }

    /// <summary>Awaited within, so that an <see cref="OperationCanceledException"/> counts as cancellation whatever its token.</summary>
    private static async Task OnThreadAsync(Action piece) =>
        await Task.Factory.StartNew(piece, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .ConfigureAwait(false);
}
