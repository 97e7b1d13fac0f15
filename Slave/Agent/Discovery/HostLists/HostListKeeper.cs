using System.Text;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Discovery.HostLists;

/// <summary>Keeps one list as discovery finds its nodes.</summary>
/// <param name="name">The list's.</param>
/// <param name="list">What is wanted; it has been checked.</param>
/// <param name="context">How to search.</param>
/// <param name="nodeId">This node's id, which may change when it is enrolled anew.</param>
/// <param name="log">Told of changes, and in one sentence of what goes wrong, once as long as it is the same.</param>
/// <remarks>
/// A node whose network fails finds nobody, or itself alone. To empty the list for that would take all workers from a build that goes on a
/// moment later; to leave dead nodes on it costs a time-out each. So nodes come off the list at once as long as anybody else is found. When
/// nobody else is, nothing comes off before that has been so for some minutes, in which this machine had a network.
/// </remarks>
internal sealed class HostListKeeper(string name, HostListFile list, LocalContext context, Func<string> nodeId, Action<string> log)
{
    private static readonly Lock s_writing = new();
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromSeconds(5), s_tryAgain = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _wake = new(0);
    private readonly MarkedBlock? _block = list.IsBlock ? new MarkedBlock(name) : null;
    private long? _aloneSince;
    private string _complaint = "";

    /// <summary>Where its nodes are.</summary>
    public string Mesh { get; } = list.Mesh ?? context.Meshes[0];

    /// <summary>Something happened to a node: looks once more, after the list's delay.</summary>
    public void Wake() => _wake.Release();

    /// <summary>Keeps the list until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        TimeSpan delay = TimeSpan.FromSeconds(list.DelaySeconds);
        try
        {
            while (true)
            {
                TimeSpan pause = await UpdateAsync(cancellation).ConfigureAwait(false);
                if (await _wake.WaitAsync(pause, cancellation).ConfigureAwait(false))
                {
                    // Many nodes keep lists and hear of the same thing: they do not all ask in the same moment.
                    await Task.Delay(delay * (1 + (Random.Shared.NextDouble() / 2)), context.Clock, cancellation).ConfigureAwait(false);
                    while (_wake.Wait(0, CancellationToken.None))
                    {
                        // One look for all that has happened by now.
                    }
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>Looks who is there, and brings the list up to date.</summary>
    /// <returns>When to look next, at the latest.</returns>
    private async Task<TimeSpan> UpdateAsync(CancellationToken cancellation)
    {
        try
        {
            List<Found> nodes = await SearchAsync(cancellation).ConfigureAwait(false);
            (bool written, TimeSpan pause) = Write(nodes);
            if (written)
            {
                log($"host list '{name}': {list.Path} has {(nodes.Count == 1 ? "1 node" : $"{nodes.Count} nodes")} now");
                if (list.Reload is { } command && await ReloadCommand.RunAsync(command, TimeSpan.FromSeconds(list.ReloadLimitSeconds),
                    context.Clock, cancellation).ConfigureAwait(false) is { } failure)
                {
                    log($"host list '{name}': {failure}");
                }
            }
            _complaint = "";
            return pause;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (e.Message != _complaint)
            {
                _complaint = e.Message;
                log($"host list '{name}' is not written to {list.Path}: {e.Message}");
            }
            return s_tryAgain;
        }
    }

    private (bool Written, TimeSpan Pause) Write(List<Found> nodes)
    {
        // Several lists may have their blocks in one file.
        lock (s_writing)
        {
            (bool Written, TimeSpan Pause) done = default;
            DurableFile.Update(list.Path, file =>
            {
                (byte[]? content, done) = Change(nodes, file);
                return content;
            });
            return done;
        }
    }

    private (byte[]? Content, (bool Written, TimeSpan Pause) Done) Change(List<Found> nodes, byte[]? file)
    {
        // One byte a character: what is not ours is kept to the byte, in whatever encoding it is.
        string? before = file is null ? null : Encoding.Latin1.GetString(file);
        string? listed = before is null || _block is null ? before : _block.Read(before);
        string text = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(list.Write(nodes)));
        if (listed is not null && WaitBeforeTaking(nodes, listed, text) is { } wait)
        {
            return (null, (false, wait));
        }
        byte[]? content = listed == text ? null : Encoding.Latin1.GetBytes(_block?.Write(before ?? "", text) ?? text);
        return (content, (content is not null, TimeSpan.FromSeconds(list.PeriodSeconds)));
    }

    private async Task<List<Found>> SearchAsync(CancellationToken cancellation)
    {
        var search = new Search
        {
            Meshes = [Mesh],
            Filter = new NodeFilter(list.Service, list.Role, list.Kind, Parameters: list.Params),
            Exclude = list.Exclude ?? [],
        };
        var nodes = new List<Found>();
        await foreach (Found node in new Marco(context.Interfaces, context.Clock, context.Verifier).FindAsync(search, cancellation)
            .ConfigureAwait(false))
        {
            // Anybody may answer; work is given, and names are believed, only where the appliance vouches for the node.
            if ((node.IsProven || !context.Verifier.CanProve) && (list.Role is not null || node.Node.Identity.Role != "appliance"))
            {
                nodes.Add(node);
            }
        }
        return nodes;
    }

    /// <summary>Null: the list may be written. Else nobody but this node was found, which may be the network's fault: when to look
    /// again.</summary>
    private TimeSpan? WaitBeforeTaking(List<Found> nodes, string listed, string text)
    {
        string self = nodeId();
        if (nodes.Exists(node => node.Node.Id != self) || !listed.Split('\n').Except(text.Split('\n')).Any())
        {
            _aloneSince = null;
            return null;
        }
        if (DiscoverySocket.Interfaces(context.Interfaces).Count == 0)
        {
            // No cable, no address: that nobody answers says nothing about anybody.
            _aloneSince = null;
            return s_lookAgain;
        }
        _aloneSince ??= context.Clock.GetTimestamp();
        TimeSpan left = TimeSpan.FromSeconds(list.EmptyAfterSeconds) - context.Clock.GetElapsedTime(_aloneSince.Value);
        return left <= TimeSpan.Zero ? null : left < s_lookAgain ? left : s_lookAgain;
    }
}
