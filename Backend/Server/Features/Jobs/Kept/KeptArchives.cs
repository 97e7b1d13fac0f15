using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Jobs.Kept;

/// <summary>
/// What nodes keep through image updates, while their disks are written: one archive of a task, never replaced once it is whole. Files of
/// mode 0600 whose names say task and digest.
/// </summary>
/// <param name="room">Bytes that may be stored now.</param>
internal sealed class KeptArchives(Database database, string folder, Func<long> room, TimeProvider clock)
{
    private const string Extension = ".tar.zst";

    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>How long an archive stays whose task did not succeed.</summary>
    private static readonly TimeSpan s_afterwards = TimeSpan.FromDays(1);

    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(2);

    /// <summary>What stays free on a disk for the appliance itself.</summary>
    private const long Reserve = 512 << 20;

    /// <summary>Bytes that archives may take of a folder's disk.</summary>
    public static long RoomOf(string folder) => Math.Max(0, new DriveInfo(folder).AvailableFreeSpace - Reserve);

    /// <summary>What a task's archive is; null: there is none.</summary>
    public KeptArchive? Find(Guid task) => PathOf(task) is { } path
        ? new KeptArchive(Digest.Parse(Path.GetFileName(path)[(task.ToString().Length + 1)..^Extension.Length]), new FileInfo(path).Length)
        : null;

    /// <summary>Where a task's archive is; null: there is none.</summary>
    public string? PathOf(Guid task) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, $"{task}-*{Extension}").FirstOrDefault() : null;

    public KeptState StateOf(Guid task) => new(Find(task), room());

    /// <summary>Takes an archive in, through little memory.</summary>
    /// <returns>Null where there is no room for it; nothing of it stays then.</returns>
    /// <exception cref="IOException">It did not come whole, or cannot be stored; nothing of it stays.</exception>
    public async Task<KeptArchive?> AddAsync(Guid task, Stream content, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder, OwnerFile | UnixFileMode.UserExecute);
        string temporary = Path.Combine(folder, $".upload-{Guid.NewGuid():n}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerFile };
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            KeptArchive archive;
            await using (var stored = new FileStream(temporary, options))
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                byte[] buffer = new byte[256 << 10];
                silence.CancelAfter(s_silence);
                for (int n; (n = await content.ReadAsync(buffer, silence.Token)) > 0; silence.CancelAfter(s_silence))
                {
                    if (n > room())
                    {
                        return null;
                    }
                    hash.AppendData(buffer, 0, n);
                    await stored.WriteAsync(buffer.AsMemory(0, n), cancellation);
                }
                stored.Flush(flushToDisk: true);
                archive = new KeptArchive(Digest.Finish(hash), stored.Length);
            }
            File.Move(temporary, Path.Combine(folder, $"{task}-{archive.Digest}{Extension}"));
            return archive;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>What people are told of a task that ended otherwise than well; empty where nothing was kept.</summary>
    public string Describe(Guid task) => PathOf(task) is { } path
        ? $"what was to be kept of the node is in {path} until {JobRow.Time((clock.GetUtcNow() + s_afterwards).ToUnixTimeMilliseconds())}"
        : "";

    /// <summary>Removes what is needed no more.</summary>
    public void Sweep()
    {
        if (!Directory.Exists(folder))
        {
            return;
        }
        long before = (clock.GetUtcNow() - s_afterwards).ToUnixTimeMilliseconds();
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            // Whatever else lies there is not ours.
            if (Path.GetFileName(path) is { Length: > 36 } name && Guid.TryParse(name.AsSpan(0, 36), out Guid id) &&
                (database.Read(c => TaskRow.Find(c, id)) is not { } task || task.State == TaskState.Succeeded || task.EndedAt < before))
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>What uploads left behind that the appliance did not survive.</summary>
    public void RemoveLeftovers()
    {
        foreach (string leftover in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, ".upload-*") : [])
        {
            File.Delete(leftover);
        }
    }
}
