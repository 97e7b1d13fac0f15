using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Bootstrap.Agent.Discovery;

/// <summary>
/// A folder in which people and packages put descriptions: one JSON object a file, whatever the file is called. It is read anew when
/// something in it changes and on SIGHUP and SIGUSR1.
/// </summary>
/// <param name="path">The folder; it need not be there.</param>
/// <param name="type">How a description is read.</param>
/// <param name="log">Told of files that cannot be used, once for each change.</param>
/// <param name="clock">Lets an editor finish.</param>
internal sealed class DescriptionFolder<T>(string path, JsonTypeInfo<T> type, Action<string> log, TimeProvider clock)
    where T : class
{
    private const int MaximumFileBytes = 64 * 1024;

    /// <summary>The signal of the 2015 programs; .NET has no name for it.</summary>
    private const PosixSignal UserSignal1 = (PosixSignal)10;

    /// <summary>An editor writes several times.</summary>
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(200);

    /// <summary>For a folder that was not there at the start, and for file systems that tell nothing.</summary>
    private static readonly TimeSpan s_lookPeriod = TimeSpan.FromSeconds(30);

    private string _complaints = "";

    /// <summary>Gives what each file says, in the order of their names; files that cannot be used are complained of.</summary>
    /// <param name="take">Takes a file's name, without its folder, and what it says; throws <see cref="JsonException"/> if that cannot
    /// be.</param>
    public void Read(Action<string, T> take)
    {
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
                take(Path.GetFileName(file), Read(file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
            {
                complaints.Add($"{file}: {e.Message}");
            }
        }
        string all = string.Join('\n', complaints);
        if (all != _complaints)
        {
            _complaints = all;
            complaints.ForEach(log);
        }
    }

    /// <summary>Calls <paramref name="load"/> now and again on every change, until cancelled.</summary>
    /// <param name="load">Is to <see cref="Read(Action{string, T})"/>; told whether a signal asked for it.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(Func<bool, Task> load, CancellationToken cancellation)
    {
        using var changed = new SemaphoreSlim(0);
        int signals = 0;
        void Signalled(PosixSignalContext signal)
        {
            signal.Cancel = true;
            Interlocked.Increment(ref signals);
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
                await load(Interlocked.Exchange(ref signals, 0) > 0).ConfigureAwait(false);
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

    private T Read(string file)
    {
        if (new FileInfo(file).Length > MaximumFileBytes)
        {
            throw new IOException($"a description has no more than {MaximumFileBytes} bytes");
        }
        return JsonSerializer.Deserialize(File.ReadAllBytes(file), type) ?? throw new JsonException("it is empty");
    }
}
