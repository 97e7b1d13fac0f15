using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Imaging.Store;

/// <summary>What became of a chunk since it was stored.</summary>
public enum ChunkCondition
{
    Missing,
    Damaged,
    Sound,
}

/// <summary>
/// Tells whether stored chunks are still what their names say. A file is hashed when it is first asked for and again when its size or
/// time has changed, once however many ask; in between it is taken for what it was, for every node checks what it gets anyway.
/// </summary>
/// <param name="store">Holds the chunks.</param>
/// <param name="damaged">Told of each damaged file once.</param>
public sealed class ChunkInspector(ImageStore store, Action<Digest> damaged)
{
    /// <summary>Verdicts that are remembered, 256 GB of chunks; beyond that all are forgotten and found out again.</summary>
    private const int Kept = 1 << 16;

    private readonly record struct Verdict(long Length, DateTime Changed, Task<bool> Sound);

    private readonly Lock _lock = new();
    private readonly Dictionary<Digest, Verdict> _verdicts = [];

    /// <summary>Looks at a chunk.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async Task<ChunkCondition> InspectAsync(Digest stored)
    {
        var file = new FileInfo(store.ChunkPath(stored));
        if (!file.Exists)
        {
            return ChunkCondition.Missing;
        }
        return await VerdictAsync(stored, file).ConfigureAwait(false) ? ChunkCondition.Sound : ChunkCondition.Damaged;
    }

    /// <summary>Hashes a chunk's file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static bool IsSound(string path, Digest stored)
    {
        using FileStream file = File.OpenRead(path);
        Span<byte> hash = stackalloc byte[Digest.Size];
        SHA256.HashData(file, hash);
        return new Digest(hash) == stored;
    }

    private Task<bool> VerdictAsync(Digest stored, FileInfo file)
    {
        lock (_lock)
        {
            if (_verdicts.TryGetValue(stored, out Verdict known) && !known.Sound.IsFaulted &&
                known.Length == file.Length && known.Changed == file.LastWriteTimeUtc)
            {
                return known.Sound;
            }
            if (_verdicts.Count >= Kept)
            {
                _verdicts.Clear();
            }
            Task<bool> sound = Task.Run(() =>
            {
                bool isSound = IsSound(file.FullName, stored);
                if (!isSound)
                {
                    damaged(stored);
                }
                return isSound;
            });
            _verdicts[stored] = new Verdict(file.Length, file.LastWriteTimeUtc, sound);
            return sound;
        }
    }
}
