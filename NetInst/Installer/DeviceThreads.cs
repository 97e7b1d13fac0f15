using System.Collections.Concurrent;

namespace Bootstrap.Installer;

/// <summary>
/// The threads that do a disk's blocking calls. A slow card then holds up those who wait for it and no one else. Two, so that the
/// disk has its next request at hand when it ends one; who needs an order awaits the first before asking for the second.
/// </summary>
public sealed class DeviceThreads : IDisposable
{
    private const int Count = 2;

    private readonly BlockingCollection<Task> _work = [];
    private readonly Thread[] _threads;

    public DeviceThreads(string name)
    {
        _threads = [.. Enumerable.Range(1, Count).Select(i => new Thread(Run) { IsBackground = true, Name = $"{name} {i}" })];
        foreach (Thread thread in _threads)
        {
            thread.Start();
        }
    }

    /// <summary>Does something on one of the threads; its exceptions are the task's.</summary>
    public Task RunAsync(Action action)
    {
        // Whoever awaits goes on elsewhere: these threads are for the disk.
        var task = new Task(action, TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(task);
        return task;
    }

    /// <summary>Ends the threads once they have done what was asked for.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
        _work.Dispose();
    }

    private void Run()
    {
        foreach (Task task in _work.GetConsumingEnumerable())
        {
            task.RunSynchronously();
        }
    }
}
