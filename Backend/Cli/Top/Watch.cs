using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Top;

/// <summary>A node that can be watched.</summary>
/// <param name="Url">Of its own status; null: it is heard by way of the appliance alone.</param>
internal sealed record Member(string Id, string Name, Uri? Url);

/// <summary>Watches nodes: each from itself where that can be, the rest by way of the appliance.</summary>
/// <param name="members">Which.</param>
/// <param name="authority">The appliance's CA.</param>
/// <param name="tokens">Lets in at nodes.</param>
/// <param name="relay">The appliance; null: there is none.</param>
internal sealed class Watch(IReadOnlyList<Member> members, X509Certificate2 authority, ITokenSource tokens, ApplianceClient? relay)
{
    /// <summary>Connections of one program; a rack has more boards than a terminal has lines.</summary>
    private const int MostDirect = 200;

    private static readonly TimeSpan s_lookInterval = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, WatchedNode> _nodes = members.ToDictionary(m => m.Id, m => new WatchedNode(m.Id, m.Name));

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<WatchedNode> Nodes => _nodes.Values;

    /// <summary>Watches until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var direct = members.Where(m => m.Url is not null).Take(MostDirect)
            .ToDictionary(m => m.Id, m => new DirectWatch(_nodes[m.Id], m.Url!, authority, tokens));
        Task[] running = [.. direct.Values.Select(watch => watch.RunAsync(cancellation)), RelayAsync(direct, cancellation)];
        // One that fails ends all: nothing else would say so.
        await await Task.WhenAny(running);
    }

    private async Task RelayAsync(IReadOnlyDictionary<string, DirectWatch> direct, CancellationToken cancellation)
    {
        if (relay is null)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
            return;
        }
        while (true)
        {
            Dictionary<string, WatchedNode> left = Left(direct);
            using var changed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            Task watching = left.Count == 0 ? Task.CompletedTask : RelayWatch.RunAsync(relay, left, changed.Token);
            do
            {
                await Task.Delay(s_lookInterval, TimeProvider.System, cancellation);
            }
            while (Left(direct).Keys.ToHashSet().SetEquals(left.Keys) && (left.Count == 0 || !watching.IsCompleted));
            await changed.CancelAsync();
            try
            {
                await watching;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // Others are left now.
            }
        }
    }

    private Dictionary<string, WatchedNode> Left(IReadOnlyDictionary<string, DirectWatch> direct) => _nodes
        .Where(node => !direct.TryGetValue(node.Key, out DirectWatch? watch) || watch.HasFailed).ToDictionary();
}
