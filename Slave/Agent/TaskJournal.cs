using System.Text.Json;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent;

/// <summary>A task as the node remembers it.</summary>
/// <param name="Stages">It starts NetInst; the other tasks are done once the machine has restarted or gone.</param>
/// <param name="BootId">Of the kernel under which it was begun: another one now shows that the machine has restarted since.</param>
/// <param name="Outcome">How it ended; null while it has not.</param>
public sealed record TaskRecord(Guid Id, bool Stages, string BootId, TaskEnded? Outcome);

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

    /// <summary>What is known of a task; null: it has never been here. A file that cannot be read counts as none: half of it was never written.</summary>
    public TaskRecord? Find(Guid id)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FileOf(id)), AgentJson.Default.TaskRecord);
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
        foreach (FileInfo old in new DirectoryInfo(_folder).EnumerateFiles("*.json").OrderByDescending(file => file.LastWriteTimeUtc).Skip(MaximumTasks).ToArray())
        {
            old.Delete();
        }
    }

    private string FileOf(Guid id) => Path.Combine(_folder, $"{id}.json");
}
