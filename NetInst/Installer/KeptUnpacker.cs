using System.Formats.Tar;
using System.Globalization;
using Bootstrap.Board;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>Gives a new system what an archive of <see cref="KeptFiles"/> holds. What the new system has beside it stays.</summary>
/// <param name="root">The new system, mounted.</param>
/// <param name="log">Told of accounts that are not taken over.</param>
public sealed class KeptUnpacker(RootedFolder root, Action<string> log)
{
    // What a file inherits from its folder.
    private const string Acl = "system.posix_acl_access", DefaultAcl = "system.posix_acl_default";

    private readonly Dictionary<string, string> _accounts = [];

    /// <summary>Unpacks it; again over what an earlier attempt has left.</summary>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public void Unpack(Stream archive)
    {
        using var tar = new TarReader(new ZstdSharp.DecompressionStream(archive), leaveOpen: false);
        try
        {
            while (tar.GetNextEntry() is { } entry)
            {
                Unpack(entry);
            }
        }
        catch (Exception e) when (TarFault.Is(e))
        {
            throw new IOException($"unpacking what was kept: the archive is damaged ({e.Message})", e);
        }
        if (_accounts.GetValueOrDefault("passwd", "").Length > 0)
        {
            var people = new ProfileAccounts(root, log);
            people.TakeOver(_accounts);
            people.Save();
        }
    }

    private void Unpack(TarEntry entry)
    {
        string[] parts = entry.Name.TrimEnd('/').Split('/');
        if (parts.Contains("..") || parts.Contains("") || parts.Contains("."))
        {
            throw new InvalidDataException($"'{entry.Name}' is no name of a kept file");
        }
        if (entry.Name.StartsWith(KeptArchive.Accounts, StringComparison.Ordinal))
        {
            using var reader = new StreamReader(entry.DataStream ?? Stream.Null);
            _accounts[parts[^1]] = reader.ReadToEnd();
            return;
        }
        string path = PathOf(entry.Name);
        IReadOnlyDictionary<string, string> header = ((PaxTarEntry)entry).ExtendedAttributes;
        var owner = new FileOwner(Number(header, KeptFiles.User), Number(header, KeptFiles.Group));
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                root.MakeFolder(path, (int)entry.Mode, owner);
                break;
            case TarEntryType.SymbolicLink:
                root.Link(path, entry.LinkName, owner);
                break;
            case TarEntryType.HardLink:
                root.AddName(PathOf(entry.LinkName), path);
                return;
            case TarEntryType.Fifo:
                root.MakePipe(path, (int)entry.Mode, owner);
                break;
            case TarEntryType.RegularFile:
                root.WriteFile(path, entry.DataStream ?? Stream.Null, (int)entry.Mode, owner, entry.ModificationTime.UtcDateTime);
                break;
            default:
                throw new InvalidDataException($"'{entry.Name}' is of a kind that is never kept");
        }
        SetAttributes(path, header, entry.EntryType);
    }

    private void SetAttributes(string path, IReadOnlyDictionary<string, string> header, TarEntryType type)
    {
        using HeldFolder parent = root.OpenParent(path, out string last);
        string real = $"{parent.OpenPath}/{last}";
        foreach (string inherited in type == TarEntryType.Directory ? [Acl, DefaultAcl] : type == TarEntryType.SymbolicLink
            ? Array.Empty<string>() : [Acl])
        {
            if (!header.ContainsKey(KeptFiles.Attribute + inherited))
            {
                Linux.RemoveAttribute(real, inherited);
            }
        }
        foreach ((string name, string value) in header.Where(h => h.Key.StartsWith(KeptFiles.Attribute, StringComparison.Ordinal)))
        {
            Linux.SetAttribute(real, name[KeptFiles.Attribute.Length..], Convert.FromBase64String(value));
        }
    }

    private static string PathOf(string name) => name.StartsWith(KeptArchive.Files, StringComparison.Ordinal)
        ? '/' + name[KeptArchive.Files.Length..].TrimEnd('/')
        : throw new InvalidDataException($"'{name}' is no name of a kept file");

    private static uint Number(IReadOnlyDictionary<string, string> header, string name) =>
        header.TryGetValue(name, out string? text) && uint.TryParse(text, CultureInfo.InvariantCulture, out uint number)
            ? number : throw new InvalidDataException($"an entry has no {name}");
}
