using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Protocol.Ids;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Agent.Deploy;

/// <summary>
/// Unpacks a tar archive, plain or by gzip, into a folder. All of it is looked at before the first file is written; nothing of it leads out
/// of the folder, by its name or by a symbolic link, whoever makes one of it meanwhile.
/// </summary>
/// <param name="archive">The archive's file; nobody else can write in it.</param>
/// <param name="folder">Where to.</param>
/// <param name="owner">Of all that is unpacked.</param>
internal sealed class Unpacking(FileStream archive, HeldFolder folder, FileOwner owner)
{
    private const int MaximumEntries = 100_000;

    private readonly HashSet<string> _seen = [];

    /// <summary>Files that are there with their content already, as they were when that was read: others may put another file in the place
    /// of one.</summary>
    private readonly Dictionary<string, (ulong Device, ulong Inode)> _held = [];
    private readonly HashSet<string> _entered = [];
    private int _written, _unchanged;

    /// <returns>What was done, in words.</returns>
    /// <exception cref="IOException">It cannot be read or written, or has something in it that is not possible; the message names
    /// it.</exception>
    public string Run()
    {
        ForEach(Check);
        ForEach(Unpack);
        return $"{_written} written, {_unchanged} unchanged in {folder.Path}";
    }

    private void ForEach(Action<TarEntry> take)
    {
        using Stream content = OpenArchive();
        using var reader = new TarReader(content);
        try
        {
            while (reader.GetNextEntry() is { } entry)
            {
                if (entry is not PaxGlobalExtendedAttributesTarEntry && NameOf(entry).Length > 0)
                {
                    take(entry);
                }
            }
        }
        catch (Exception e) when (TarFault.Is(e))
        {
            throw FindSparse() is { } name ? SparseRefusal(name)
                : new IOException($"the archive is damaged, or no tar archive: {e.Message}", e);
        }
    }

    private Stream OpenArchive()
    {
        // Read more than once, from its start: each time by a stream of its own on the one open file.
        var content = new FileStream(new SafeFileHandle(archive.SafeFileHandle.DangerousGetHandle(), ownsHandle: false), FileAccess.Read);
        // A stream on an open file begins where that stands: behind what was just written to it.
        content.Position = 0;
        Span<byte> magic = stackalloc byte[2];
        bool isGzip = content.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
        content.Position = 0;
        return isGzip ? new GZipStream(content, CompressionMode.Decompress) : content;
    }

    private string? FindSparse()
    {
        try
        {
            using Stream content = OpenArchive();
            return SparseEntry.Find(content);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static IOException SparseRefusal(string name) => new(
        $"the archive has '{name}' in it as a sparse file, which is not read here: pack it again without tar's --sparse (-S). " +
        "Nothing was unpacked");

    /// <summary>"./etc/app.conf" as "etc/app.conf"; empty for the folder itself.</summary>
    private static string NameOf(TarEntry entry) => string.Join('/', entry.Name.Split('/').Where(part => part is not ("" or ".")));

    private void Check(TarEntry entry)
    {
        if (_seen.Count == MaximumEntries)
        {
            throw new IOException($"the archive has more than {MaximumEntries} entries: nothing was unpacked");
        }
        if (SparseEntry.NameOf(entry) is { } sparse)
        {
            throw SparseRefusal(sparse);
        }
        if (entry.Name.StartsWith('/') || entry.Name.Split('/').Contains(".."))
        {
            throw new IOException($"the archive has '{entry.Name}' in it, which leads out of the folder: nothing was unpacked");
        }
        if (!IsFile(entry) && entry.EntryType is not (TarEntryType.Directory or TarEntryType.SymbolicLink))
        {
            throw new IOException(
                $"the archive has '{entry.Name}' in it, which is neither a file, a folder nor a symbolic link ({entry.EntryType}): " +
                $"nothing was unpacked");
        }
        string name = NameOf(entry);
        if (!_seen.Add(name))
        {
            throw new IOException($"the archive has '{name}' in it twice: nothing was unpacked");
        }
        if (IsFile(entry))
        {
            Compare(name, entry);
        }
    }

    /// <summary>What is the same is only read: cards wear by writing.</summary>
    private void Compare(string name, TarEntry entry)
    {
        using Held? parent = FindParent(name);
        using HeldFile? there = parent?.Folder.OpenFile(LastOf(name));
        // The reader's: it goes on behind it, which it cannot where it was closed before its end.
        Stream? content = entry.DataStream;
        if (there is not null &&
            Deployment.Holds(there, entry.Length, content is null ? Digest.Of([]) : new Digest(SHA256.HashData(content))))
        {
            _held.Add(name, (there.Status.Device, there.Status.Inode));
        }
    }

    private void Unpack(TarEntry entry)
    {
        string path = NameOf(entry), name = LastOf(path);
        using Held parent = MakeParent(path);
        if (_entered.Add(parent.Folder.Path))
        {
            parent.Folder.DropLeftovers(other => _seen.Contains(path[..^name.Length] + other));
        }
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                (HeldFolder made, bool isNew) = EnterOrMake(parent.Folder, name);
                using (made)
                {
                    Count(made.Own(owner, (int)entry.Mode) || isNew);
                }
                break;
            case TarEntryType.SymbolicLink:
                bool isThere = parent.Folder.TargetOf(name) == entry.LinkName;
                if (!isThere)
                {
                    parent.Folder.Link(name, entry.LinkName, owner);
                }
                Count(!isThere);
                break;
            default:
                Count(OwnHeld(parent.Folder, path, entry) ?? Write(parent.Folder, name, entry));
                break;
        }
    }

    private void Count(bool changed)
    {
        _written += changed ? 1 : 0;
        _unchanged += changed ? 0 : 1;
    }

    /// <summary>A folder on the way, which is closed by this unless it is the one that all is unpacked into.</summary>
    private sealed record Held(HeldFolder Folder, bool IsOwn) : IDisposable
    {
        public void Dispose()
        {
            if (IsOwn)
            {
                Folder.Dispose();
            }
        }
    }

    /// <summary>The folder that something is in; null: it is not there.</summary>
    private Held? FindParent(string path) => Step(path, (at, part) => at.Find(part) is { IsFolder: true } ? at.Enter(part) : null);

    /// <summary>The same; folders that the archive does not mention before what is in them are made.</summary>
    private Held MakeParent(string path) => Step(path, (at, part) =>
    {
        (HeldFolder next, bool isNew) = EnterOrMake(at, part);
        if (isNew)
        {
            next.Own(owner, mode: null);
        }
        return next;
    })!;

    private Held? Step(string path, Func<HeldFolder, string, HeldFolder?> enter)
    {
        var held = new Held(folder, IsOwn: false);
        foreach (string part in path.Split('/')[..^1])
        {
            HeldFolder? next;
            using (Held above = held)
            {
                next = enter(above.Folder, part);
            }
            if (next is null)
            {
                return null;
            }
            held = new Held(next, IsOwn: true);
        }
        return held;
    }

    /// <exception cref="IOException">A link is there: files would go elsewhere by it.</exception>
    private static (HeldFolder Folder, bool IsNew) EnterOrMake(HeldFolder parent, string name) =>
        parent.Enter(name) is { } there ? (there, false) : (parent.Make(name), true);

    private static bool IsFile(TarEntry entry) => entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile;

    private static string LastOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>Null: it is to be written.</summary>
    private bool? OwnHeld(HeldFolder parent, string path, TarEntry entry)
    {
        if (!_held.TryGetValue(path, out (ulong, ulong) known))
        {
            return null;
        }
        using HeldFile? there = parent.OpenFile(LastOf(path));
        return there is not null && (there.Status.Device, there.Status.Inode) == known ? there.Own(owner, (int)entry.Mode) : null;
    }

    private bool Write(HeldFolder parent, string name, TarEntry entry)
    {
        using PendingFile file = parent.Create(name);
        entry.DataStream?.CopyTo(file.Content);
        file.Finish(owner, (int)entry.Mode);
        return true;
    }
}
