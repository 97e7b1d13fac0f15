using System.Runtime.InteropServices;
using System.Text.Json;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Discovery;

/// <summary>A file of the services folder, with the names that such files had in 2015.</summary>
/// <param name="Id">1 to 30 characters.</param>
/// <param name="Params">Flat.</param>
/// <param name="Groups">The meshes that it is offered in; <paramref name="Meshes"/> is the same.</param>
/// <param name="Meshes">The meshes that it is offered in; none: all of the node's.</param>
/// <param name="Disabled">True: it is not offered.</param>
public sealed record ServiceFile(
    string Id, IReadOnlyDictionary<string, string>? Params = null, IReadOnlyList<string>? Groups = null, IReadOnlyList<string>? Meshes = null, bool Disabled = false);

/// <summary>
/// Services described by files: one JSON object a file, whatever the file is called. It is read anew when something in the folder changes
/// and on SIGHUP and SIGUSR1.
/// </summary>
/// <param name="path">The folder; it need not be there.</param>
/// <param name="registry">Gets the services.</param>
/// <param name="log">Told of files that cannot be used, once for each change.</param>
/// <param name="clock">Times the waiting for more changes.</param>
public sealed class ServiceFolder(string path, ServiceRegistry registry, Action<string> log, TimeProvider clock)
{
    private const int MaximumFileBytes = 64 * 1024;

    /// <summary>The signal of the 2015 programs; .NET has no name for it.</summary>
    private const PosixSignal UserSignal1 = (PosixSignal)10;

    /// <summary>An editor writes several times.</summary>
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(200);

    /// <summary>For a folder that was not there at the start, and for file systems that tell nothing.</summary>
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromSeconds(30);

    private string _complaints = "";

    /// <summary>Reads the folder now.</summary>
    public void Load()
    {
        var services = new Dictionary<string, Service>();
        var complaints = new List<string>();
        string[] files = Directory.Exists(path) ? Directory.GetFiles(path) : [];
        foreach (string file in files.Order(StringComparer.Ordinal))
        {
            // What editors leave beside a file is none.
            if (Path.GetFileName(file) is ['.', ..] or [.., '~'])
            {
                continue;
            }
            try
            {
                if (Read(file) is { Disabled: false } read && !services.TryAdd(read.Id, new Service(read.Id, read.Params ?? new Dictionary<string, string>(), read.Meshes ?? read.Groups)))
                {
                    complaints.Add($"{file}: '{read.Id}' is described by another file as well, which counts");
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
            {
                complaints.Add($"{file}: {e.Message}");
            }
        }
        registry.SetFiles([.. services.Values]);
        string all = string.Join('\n', complaints);
        if (all != _complaints)
        {
            _complaints = all;
            complaints.ForEach(log);
        }
    }

    /// <summary>Reads the folder, and again on every change, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var changed = new SemaphoreSlim(0);
        void Signalled(PosixSignalContext signal)
        {
            signal.Cancel = true;
            changed.Release();
        }
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Signalled);
        using PosixSignalRegistration user = PosixSignalRegistration.Create(UserSignal1, Signalled);
        FileSystemWatcher? watcher = null;
        try
        {
            while (true)
            {
                watcher ??= Watch(() => changed.Release());
                Load();
                await changed.WaitAsync(s_lookPeriod, cancellation).ConfigureAwait(false);
                await Task.Delay(s_settle, clock, cancellation).ConfigureAwait(false);
                while (changed.Wait(0, CancellationToken.None))
                {
                    // One reading for all that has changed by now.
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            watcher?.Dispose();
        }
    }

    private FileSystemWatcher? Watch(Action changed)
    {
        if (!Directory.Exists(path))
        {
            return null;
        }
        var watcher = new FileSystemWatcher(path);
        watcher.Changed += (_, _) => changed();
        watcher.Created += (_, _) => changed();
        watcher.Deleted += (_, _) => changed();
        watcher.Renamed += (_, _) => changed();
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    /// <exception cref="IOException">It is too long.</exception>
    /// <exception cref="JsonException">It is no description of a service; the message says why.</exception>
    private static ServiceFile Read(string file)
    {
        if (new FileInfo(file).Length > MaximumFileBytes)
        {
            throw new IOException($"a description of a service has no more than {MaximumFileBytes} bytes");
        }
        ServiceFile read = JsonSerializer.Deserialize(File.ReadAllBytes(file), AgentJson.Default.ServiceFile) ?? throw new JsonException("it is empty");
        return ServiceNames.IsName(read.Id)
            ? read
            : throw new JsonException($"'{read.Id}' is no name of a service: 1 to 30 letters, digits, '-' and '_', and 'user:service' for a user's own");
    }
}
