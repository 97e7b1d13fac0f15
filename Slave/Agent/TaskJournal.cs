using System.Text.Json;
using Bootstrap.Agent.Commands;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent;

/// <summary>A task as the node remembers it.</summary>
/// <param name="Stages">It starts NetInst; the other tasks are done once the machine has restarted or gone.</param>
/// <param name="BootId">Of the kernel under which it was begun: another one now shows that the machine has restarted since.</param>
/// <param name="Outcome">How it ended; null while it has not.</param>
/// <param name="Once">It is never begun again, however it was interrupted.</param>
/// <param name="Command">The command that it runs, or ran last; null where it has run none yet.</param>
/// <param name="Attempt">As the order said.</param>
/// <param name="Firmware">Of an update of boot firmware: when that which was staged was built, in Unix seconds; 0 until it is staged, and
/// null for all other tasks.</param>
/// <param name="Slot">Of an update of a slot, how far it is; null for other tasks.</param>
public sealed record TaskRecord(
    Guid Id, bool Stages, string BootId, TaskEnded? Outcome, bool Once = false, CommandTrace? Command = null, int Attempt = 0,
    long? Firmware = null, SlotStep? Slot = null);

/// <summary>How far an update of a slot is.</summary>
public enum SlotStep
{
    /// <summary>It may be begun again whatever has interrupted it.</summary>
    Writing,

    /// <summary>The machine restarts into it: where this system starts again, it has come back from it.</summary>
    Trying,
}

/// <summary>
/// The node's tasks on disk, one file each, so that a task that arrives twice is done once, whatever was restarted in between.
/// Files are replaced whole and are on the medium when a call returns.
/// </summary>
public sealed class TaskJournal
{
    /// <summary>Tasks that are remembered; the oldest go first.</summary>
    public const int MaximumTasks = 100;

    private readonly string _folder;

    public TaskJournal(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What is known of a task; null: it has never been here. A file that cannot be read counts as none: half of it was never
    /// written.</summary>
    public TaskRecord? Find(Guid id) => Read(FileOf(id));

    /// <summary>Tasks that have not ended, as far as they are known.</summary>
    public IEnumerable<TaskRecord> Open() =>
        Directory.EnumerateFiles(_folder, "*.json").Select(Read).OfType<TaskRecord>().Where(task => task.Outcome is null).ToArray();

    private static TaskRecord? Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), AgentJson.Default.TaskRecord);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes a task down.</summary>
    public void Put(TaskRecord task)
    {
        DurableFile.Replace(FileOf(task.Id), JsonSerializer.SerializeToUtf8Bytes(task, AgentJson.Default.TaskRecord));
        foreach (FileInfo old in new DirectoryInfo(_folder).EnumerateFiles("*.json").OrderByDescending(file => file.LastWriteTimeUtc)
            .Skip(MaximumTasks).ToArray())
        {
            old.Delete();
        }
    }

    private string FileOf(Guid id) => Path.Combine(_folder, $"{id}.json");
}
