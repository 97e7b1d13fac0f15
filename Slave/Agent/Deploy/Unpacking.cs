using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Agent.Deploy;

/// <summary>
/// Unpacks a tar archive, plain or by gzip, into a folder. All of it is looked at before the first file is written; nothing of it leads out of the folder, by
/// its name or by a symbolic link.
/// </summary>
/// <param name="archive">The archive's file.</param>
/// <param name="folder">Is there already.</param>
/// <param name="owner">Of all that is unpacked.</param>
internal sealed class Unpacking(string archive, string folder, Ownership owner)
{
    private const int MaximumEntries = 100_000;

    private readonly HashSet<string> _seen = [], _held = [];
    private int _written, _unchanged;

    /// <returns>What was done, in words.</returns>
    /// <exception cref="IOException">It cannot be read or written, or has something in it that is not possible; the message names it.</exception>
    public string Run()
    {
        ForEach(Check);
        ForEach(Unpack);
        return $"{_written} written, {_unchanged} unchanged in {folder}";
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
        FileStream file = File.OpenRead(archive);
        Span<byte> magic = stackalloc byte[2];
        bool isGzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
        file.Position = 0;
        return isGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
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
            throw new IOException($"the archive has '{entry.Name}' in it, which is neither a file, a folder nor a symbolic link ({entry.EntryType}): nothing was unpacked");
        }
        string name = NameOf(entry);
        if (!_seen.Add(name))
        {
            throw new IOException($"the archive has '{name}' in it twice: nothing was unpacked");
        }
        if (IsFile(entry) && HoldsAlready(Path.Combine(folder, name), entry))
        {
            _held.Add(name);
        }
    }

    private void Unpack(TarEntry entry)
    {
        string path = Path.Combine(folder, NameOf(entry));
        MakeParents(path);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                CheckNoLink(path);
                bool isNew = !Directory.Exists(path);
                Directory.CreateDirectory(path);
                Count(Deployment.Own(path, owner, entry.Mode) || isNew);
                break;
            case TarEntryType.SymbolicLink:
                Count(Link(path, entry.LinkName));
                break;
            default:
                Count(_held.Contains(NameOf(entry)) ? Deployment.Own(path, owner, entry.Mode) : Write(path, entry));
                break;
        }
    }

    private void Count(bool changed)
    {
        _written += changed ? 1 : 0;
        _unchanged += changed ? 0 : 1;
    }

    /// <summary>Folders that the archive does not mention before what is in them; none of them is a link, by which files would go elsewhere.</summary>
    private void MakeParents(string path)
    {
        string parent = folder;
        foreach (string part in Path.GetRelativePath(folder, Path.GetDirectoryName(path)!).Split('/').Where(part => part != "."))
        {
            parent = Path.Combine(parent, part);
            CheckNoLink(parent);
            if (!Directory.Exists(parent))
            {
                Directory.CreateDirectory(parent);
                Linux.Check(Linux.ChOwn(parent, owner.User, owner.Group), $"giving {parent} its owner");
            }
        }
    }

    private static void CheckNoLink(string path)
    {
        if (new FileInfo(path).LinkTarget is { } elsewhere)
        {
            throw new IOException($"{path} is a symbolic link to {elsewhere} on this node: nothing is unpacked through it");
        }
    }

    private bool Link(string path, string target)
    {
        if (new FileInfo(path).LinkTarget == target)
        {
            return false;
        }
        string temporary = $"{path}.bootstrap-new";
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, target);
        Linux.Check(Linux.ChOwn(temporary, owner.User, owner.Group), $"giving {path} its owner");
        DurableFile.Rename(temporary, path);
        return true;
    }

    private static bool IsFile(TarEntry entry) => entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile;

    /// <summary>What is the same is only read: cards wear by writing.</summary>
    private static bool HoldsAlready(string path, TarEntry entry)
    {
        using Stream? content = entry.DataStream;
        return File.Exists(path) && Deployment.Holds(path, entry.Length, content is null ? Digest.Of([]) : new Digest(SHA256.HashData(content)));
    }

    private bool Write(string path, TarEntry entry)
    {
        using FileStream file = Deployment.CreateBeside(path);
        try
        {
            entry.DataStream?.CopyTo(file);
            Deployment.Own(file.Name, owner, entry.Mode);
            file.Flush(flushToDisk: true);
            DurableFile.Rename(file.Name, path);
            return true;
        }
        catch
        {
            File.Delete(file.Name);
            throw;
        }
    }
}
