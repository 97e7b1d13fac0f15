using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Discovery.HostLists;

/// <summary>Keeps the lists of nodes that the files of a folder describe, for programs that know nothing of discovery.</summary>
/// <param name="path">The folder; it need not be there.</param>
/// <param name="context">How to search.</param>
/// <param name="nodeId">This node's id, which may change when it is enrolled anew.</param>
/// <param name="log">Told of lists that change, and of files that cannot be used, once for each change.</param>
public sealed class HostListFolder(string path, LocalContext context, Func<string> nodeId, Action<string> log)
{
    private readonly DescriptionFolder<HostListFile> _folder = new(path, AgentJson.Default.HostListFile, log, context.Clock);
    private string _described = "";
    private CancellationTokenSource? _stop;
    private Task _keeping = Task.CompletedTask;

    /// <summary>Keeps the lists that the files describe, until cancelled; begins anew with all of them when a file changes and on a
    /// signal.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await _folder.RunAsync(signalled => LoadAsync(signalled, cancellation), cancellation).ConfigureAwait(false);
        }
        finally
        {
            await StopAsync().ConfigureAwait(false);
        }
    }

    private async Task LoadAsync(bool signalled, CancellationToken cancellation)
    {
        if (_keeping.IsFaulted)
        {
            await _keeping.ConfigureAwait(false);
        }
        SortedDictionary<string, HostListFile> lists = Read();
        string described = string.Join(
            '\n', lists.Select(list => $"{list.Key} {JsonSerializer.Serialize(list.Value, AgentJson.Default.HostListFile)}"));
        if (described == _described && !signalled)
        {
            return;
        }
        _described = described;
        await StopAsync().ConfigureAwait(false);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _keeping = KeepAsync([.. lists.Select(list => new HostListKeeper(list.Key, list.Value, context, nodeId, log))], _stop.Token);
    }

    private SortedDictionary<string, HostListFile> Read()
    {
        var lists = new SortedDictionary<string, HostListFile>(StringComparer.Ordinal);
        _folder.Read((file, list) =>
        {
            list.Check();
            string name = Path.GetFileNameWithoutExtension(file);
            if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            {
                throw new JsonException("the name of such a file, which is the list's, has letters, digits, '-', '_' and '.' alone");
            }
            if (list.Disabled)
            {
                return;
            }
            // Two whole lists would replace each other for ever; blocks live side by side.
            if (lists.FirstOrDefault(other => other.Value.Path == list.Path && !(other.Value.IsBlock && list.IsBlock)).Key is { } taken)
            {
                throw new JsonException(
                    $"{list.Path} is written by the list '{taken}' already: give one of them another \"path\", or both \"block\": true");
            }
            if (!lists.TryAdd(name, list))
            {
                throw new JsonException($"another file describes the list '{name}' as well, which counts");
            }
        });
        return lists;
    }

    private async Task StopAsync()
    {
        if (_stop is { } stop)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await _keeping.ConfigureAwait(false);
            stop.Dispose();
            _stop = null;
        }
    }

    private Task KeepAsync(HostListKeeper[] lists, CancellationToken cancellation) => Supervisor.RunAsync(cancellation,
        [.. lists.Select(list => new Component("keeping a list of nodes", list.RunAsync)),
        .. lists.GroupBy(list => list.Mesh).Select(mesh => new Component($"following mesh '{mesh.Key}'",
            stop => FollowAsync(mesh.Key, [.. mesh], stop)))]);

    private async Task FollowAsync(string mesh, HostListKeeper[] lists, CancellationToken cancellation)
    {
        try
        {
            await foreach (PresenceEvent e in PresenceFeed.WatchAsync(mesh, context, cancellation).ConfigureAwait(false))
            {
                // Who is only suspected stays: his silence may be short.
                if (e.Kind is PresenceKind.Join or PresenceKind.Change or PresenceKind.Identity or PresenceKind.Leave)
                {
                    Array.ForEach(lists, list => list.Wake());
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }
}
