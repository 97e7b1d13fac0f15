using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.References;
using Bootstrap.Server.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bootstrap.Server.Features.Files;

/// <summary>A file that can be deployed.</summary>
/// <param name="UploadedAt">Unix milliseconds.</param>
public sealed record FileView(Digest Digest, string Name, long SizeBytes, long UploadedAt);

/// <summary>Files for nodes, stored by digest. One that comes again under another name is stored once.</summary>
/// <param name="database">Has their names.</param>
/// <param name="folder">Has their bytes.</param>
/// <param name="references">Asked before one is forgotten.</param>
/// <param name="clock">Dates uploads.</param>
internal sealed class FileCatalogue(Database database, string folder, IEnumerable<IReferences> references, TimeProvider clock)
{
    private const string Columns = "digest AS Digest, name AS Name, size_bytes AS SizeBytes, uploaded_at AS UploadedAt";

    private sealed class Row
    {
        public required string Digest { get; init; }
        public required string Name { get; init; }
        public required long SizeBytes { get; init; }
        public required long UploadedAt { get; init; }

        public FileView View => new(Protocol.Ids.Digest.Parse(Digest), Name, SizeBytes, UploadedAt);
    }

    /// <summary>All, the newest first.</summary>
    public IReadOnlyList<FileView> List() =>
        database.Read(c => c.Query<Row>($"SELECT {Columns} FROM files ORDER BY uploaded_at DESC").Select(r => r.View).ToList());

    /// <summary>Those that a database knows.</summary>
    internal static IReadOnlyList<Digest> DigestsIn(SqliteConnection c) => [.. c.Query<string>("SELECT digest FROM files ORDER BY digest")
        .Select(Digest.Parse)];

    /// <summary>A file by its digest or its name; of several with one name, the newest.</summary>
    public FileView? Find(string digestOrName)
    {
        IReadOnlyList<FileView> all = List();
        return all.FirstOrDefault(f => f.Digest.ToString() == digestOrName) ?? all.FirstOrDefault(f => f.Name == digestOrName);
    }

    /// <summary>Where nodes fetch it.</summary>
    public static RemoteFile RemoteOf(FileView file) => new($"/store/files/{file.Digest}", file.Digest, file.SizeBytes);

    /// <summary>Where its bytes are.</summary>
    public string PathOf(Digest digest) => Path.Combine(folder, digest.ToString());

    /// <summary>Takes a file in, through little memory.</summary>
    /// <exception cref="IOException">It cannot be stored; nothing of it stays.</exception>
    public async Task<FileView> AddAsync(Stream content, string name, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string temporary = Path.Combine(folder, $".upload-{Guid.NewGuid():n}");
        try
        {
            FileView file;
            await using (FileStream stored = File.Create(temporary))
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                byte[] buffer = new byte[256 << 10];
                for (int n; (n = await content.ReadAsync(buffer, cancellation)) > 0;)
                {
                    hash.AppendData(buffer, 0, n);
                    await stored.WriteAsync(buffer.AsMemory(0, n), cancellation);
                }
                stored.Flush(flushToDisk: true);
                file = new FileView(Digest.Finish(hash), name, stored.Length, clock.GetUtcNow().ToUnixTimeMilliseconds());
            }
            File.Move(temporary, PathOf(file.Digest), overwrite: true);
            database.Write(c =>
                c.Execute("INSERT OR REPLACE INTO files (digest, name, size_bytes, uploaded_at) VALUES (@digest, @Name, @SizeBytes, " +
                    "@UploadedAt)",
                new { digest = file.Digest.ToString(), file.Name, file.SizeBytes, file.UploadedAt }));
            return file;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Forgets a file, unless a job that has not ended is to deploy it.</summary>
    /// <returns>Why it stays, in one sentence; null: it is gone.</returns>
    public string? Remove(FileView file)
    {
        string digest = file.Digest.ToString();
        string? refusal = database.Write(c =>
        {
            if (references.SelectMany(feature => feature.To(c, Needed.File, digest)).FirstOrDefault() is { } job)
            {
                return $"The job {job.Name}, which has not ended, deploys '{file.Name}': wait for its end, or cancel it first.";
            }
            c.Execute("DELETE FROM files WHERE digest = @digest", new { digest });
            return null;
        });
        if (refusal is null)
        {
            File.Delete(PathOf(file.Digest));
        }
        return refusal;
    }

    /// <summary>What uploads left behind that the appliance did not survive.</summary>
    public void RemoveLeftovers()
    {
        if (Directory.Exists(folder))
        {
            foreach (string leftover in Directory.EnumerateFiles(folder, ".upload-*"))
            {
                File.Delete(leftover);
            }
        }
    }
}
