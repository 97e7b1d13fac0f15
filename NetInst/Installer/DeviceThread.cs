using System.Collections.Concurrent;

namespace Bootstrap.Installer;

/// <summary>
/// One thread that does a disk's blocking calls, in the order in which they were asked for. A slow card then holds up those who
/// wait for it and no one else.
/// </summary>
public sealed class DeviceThread : IDisposable
{
    private readonly BlockingCollection<Task> _work = [];
    private readonly Thread _thread;

    public DeviceThread(string name)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Does something on the thread; its exceptions are the task's.</summary>
    public Task RunAsync(Action action)
    {
        // Whoever awaits goes on elsewhere: this thread is for the disk.
        var task = new Task(action, TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(task);
        return task;
    }

    /// <summary>Ends the thread once it has done what was asked for.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
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
