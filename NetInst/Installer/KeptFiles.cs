using System.Formats.Tar;
using System.Globalization;
using System.IO.Enumeration;
using System.Text;
using Bootstrap.Board;
using Bootstrap.Protocol.Link;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Installer;

/// <summary>What people have on the old system, as a <see cref="KeptArchive"/> takes it. Nothing is followed out of the old system's
/// root.</summary>
/// <param name="root">The old system. Where it runs meanwhile, each file is what was read of it, and what goes while it is looked at is not
/// kept.</param>
/// <param name="paths">As <see cref="InstallOrder.Keep"/> has them.</param>
/// <param name="log">Told what is not there, and what no archive holds.</param>
public sealed class KeptFiles(RootedFolder root, IReadOnlyList<string> paths, Action<string> log)
{
    /// <summary>Extended attributes of libarchive's in pax headers: their values are of any bytes, and stand in base64.</summary>
    internal const string Attribute = "LIBARCHIVE.xattr.";

    // Numbers of owners have 32 bits, of which TarEntry's own fields take 31.
    internal const string User = "BOOTSTRAP.uid", Group = "BOOTSTRAP.gid";

    private static readonly string[] s_accountFiles = ["passwd", "shadow", "group", "gshadow"];

    /// <summary>How fstab(5) names a file system on a disk of this board.</summary>
    private static readonly string[] s_local = ["/dev/", "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="];

    /// <summary>Bytes of all that is kept, before they are packed.</summary>
    /// <exception cref="InstallException">It cannot be kept as a whole.</exception>
    public long Measure()
    {
        long bytes = 0;
        var seen = new HashSet<ulong>();
        Walk((_, _, status) => bytes += status.IsFile && (status.Links == 1 || seen.Add(status.Inode)) ? status.Length : 0);
        return bytes;
    }

    /// <summary>Writes the archive.</summary>
    /// <param name="output">Stays open.</param>
    /// <param name="done">Told of bytes of files that were written.</param>
    /// <exception cref="IOException">The old system cannot be read, or <paramref name="output"/> not be written.</exception>
    public void Pack(Stream output, Action<long> done)
    {
        using var packed = new ZstdSharp.CompressionStream(output, leaveOpen: true);
        using var tar = new TarWriter(packed, TarEntryFormat.Pax, leaveOpen: true);
        foreach ((string name, string text) in Accounts())
        {
            tar.WriteEntry(new PaxTarEntry(
                TarEntryType.RegularFile, KeptArchive.Accounts + name)
            { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
        // Of files that have several names, the one that they were written under.
        var names = new Dictionary<ulong, string>();
        Walk((path, real, status) =>
        {
            string name = KeptArchive.Files + path.TrimStart('/');
            bool known = status is { IsFile: true, Links: > 1 } && names.ContainsKey(status.Inode);
            TarEntryType? type = known ? TarEntryType.HardLink : status.IsFile ? TarEntryType.RegularFile : status.IsFolder
                ? TarEntryType.Directory
                : status.IsLink ? TarEntryType.SymbolicLink : status.IsPipe ? TarEntryType.Fifo : null;
            if (type is null)
            {
                log($"{path} is a socket or a device, and is not kept");
                return;
            }
            var entry = new PaxTarEntry(type.Value, name, Described(path, real, status))
            {
                Mode = (UnixFileMode)status.Permissions,
                // For those who unpack it by hand.
                Uid = (int)Math.Min(status.User, int.MaxValue),
                Gid = (int)Math.Min(status.Group, int.MaxValue),
            };
            if (type == TarEntryType.HardLink)
            {
                entry.LinkName = names[status.Inode];
            }
            else if (type == TarEntryType.SymbolicLink)
            {
                entry.LinkName = new FileInfo(real).LinkTarget ??
                    throw new FileNotFoundException($"reading the link {path} of the old system: it cannot be read");
            }
            else
            {
                entry.ModificationTime = File.GetLastWriteTimeUtc(real);
            }
            if (type != TarEntryType.RegularFile)
            {
                tar.WriteEntry(entry);
                return;
            }
            // What is read is what was looked at: in a running system somebody may have put another file in its place, or a link to one
            // that he may not read.
            SafeFileHandle opened = Linux.OpenFile(real);
            using var content = new FileStream(opened, FileAccess.Read, bufferSize: 0);
            FileStatus now = Linux.StatusOf(opened, path);
            if (now.Device != status.Device || now.Inode != status.Inode)
            {
                throw new FileNotFoundException($"{path} was replaced while it was looked at");
            }
            entry.DataStream = new CountedReading(content, done);
            tar.WriteEntry(entry);
            if (status.Links > 1)
            {
                names.Add(status.Inode, name);
            }
        });
    }

    private static Dictionary<string, string> Described(string path, string real, FileStatus status)
    {
        var attributes = new Dictionary<string, string>
        {
            [User] = status.User.ToString(CultureInfo.InvariantCulture),
            [Group] = status.Group.ToString(CultureInfo.InvariantCulture),
        };
        foreach ((string name, byte[] value) in Linux.AttributesOf(real))
        {
            if (name.AsSpan().ContainsAny('=', '\n'))
            {
                throw new IOException(
                    $"{path} of the old system has an extended attribute '{name.ReplaceLineEndings(" ")}', a name that no " +
                    "archive holds: remove it there, or keep less");
            }
            attributes[Attribute + name] = Convert.ToBase64String(value);
        }
        return attributes;
    }

    /// <summary>Lines of people's own accounts, and of the groups that they are in.</summary>
    private IEnumerable<(string Name, string Text)> Accounts()
    {
        HashSet<string> people = [.. Lines("passwd").Where(f => f.Length > 2 && ProfileAccounts.IsPersons(f[2])).Select(f => f[0])];
        HashSet<string> groups = [.. Lines("group").Where(f =>
            f.Length > 2 && ProfileAccounts.IsPersons(f[2]) || f.Length > 3 && f[3].Split(',').Any(people.Contains)).Select(f => f[0])];
        return s_accountFiles.Select(file => (file, string.Concat(Lines(file)
            .Where(f => (file is "group" or "gshadow" ? groups : people).Contains(f[0])).Select(f => string.Join(':', f) + '\n'))));

        IEnumerable<string[]> Lines(string file) => ProfileAccounts.Parse(root.ReadText($"/etc/{file}") ?? "");
    }

    /// <summary>Comes by everything that is kept, folders before what is in them.</summary>
    /// <param name="visit">Gets the path in the old system, the path by which it can be opened here, and what it is.</param>
    private void Walk(Action<string, string, FileStatus> visit)
    {
        string[] found = [.. paths.SelectMany(Expand).Distinct()];
        // A path below another one is kept with that.
        string[] tops = [.. found.Where(path => !found.Any(other => IsBelow(path, other)))];
        RefuseOtherFileSystems([.. paths.Select(path => path.TrimEnd('/')), .. found]);
        foreach (string top in tops)
        {
            int slash = top.LastIndexOf('/');
            using OpenedFolder? parent = root.Enter(top[..slash]);
            string real = $"{parent?.Path}/{top[(slash + 1)..]}";
            if (parent is not null && StatusOf(real) is { IsLink: true } && root.Exists(top) &&
                !IsKeptTarget(top, new FileInfo(real).LinkTarget!, tops))
            {
                throw new InstallException(
                    $"{top} of the old system is a symbolic link to {new FileInfo(real).LinkTarget}: name that among the kept paths, " +
                    $"too. Nothing was written");
            }
            if (parent is not null)
            {
                Visit(top, real, visit);
            }
        }
    }

    private void Visit(string path, string real, Action<string, string, FileStatus> visit)
    {
        string[] names = [];
        try
        {
            if (StatusOf(real) is not { } status)
            {
                return;
            }
            visit(path, real, status);
            if (status.IsFolder)
            {
                names = [.. Directory.EnumerateFileSystemEntries(real).Select(entry => Path.GetFileName(entry))
                    .Order(StringComparer.Ordinal)];
            }
        }
        catch (Exception e) when (
            e is FileNotFoundException or DirectoryNotFoundException or LinuxException { Errno: Linux.ENOENT or Linux.ELOOP })
        {
            log($"{path} has gone in the meantime");
        }
        foreach (string name in names)
        {
            Visit($"{path}/{name}", $"{real}/{name}", visit);
        }
    }

    /// <summary>What a path is; null where it has gone since it was listed.</summary>
    private static FileStatus? StatusOf(string real)
    {
        try
        {
            return Linux.StatusOf(real);
        }
        catch (LinuxException e) when (e.Errno == Linux.ENOENT)
        {
            return null;
        }
    }

    /// <summary>The paths that a pattern stands for.</summary>
    private IEnumerable<string> Expand(string pattern)
    {
        IEnumerable<string> found = [""];
        foreach (string part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            found = found.SelectMany(folder => root.Names($"{folder}/")
                .Where(name => FileSystemName.MatchesSimpleExpression(part, name, ignoreCase: false)).Order(StringComparer.Ordinal)
                .Select(name => $"{folder}/{name}"));
        }
        string[] all = [.. found];
        if (all.Length == 0)
        {
            log($"the old system has no {pattern}: there is nothing of it to keep");
        }
        return all;
    }

    private void RefuseOtherFileSystems(string[] kept)
    {
        foreach (string[] fields in (root.ReadText("/etc/fstab") ?? "").Split('\n')
            .Select(line => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)))
        {
            if (fields.Length < 2 || !s_local.Any(start => fields[0].StartsWith(start, StringComparison.Ordinal)) ||
                fields[1].TrimEnd('/') is not ['/', ..] place)
            {
                continue;
            }
            if (kept.FirstOrDefault(path => path == place || IsBelow(path, place) || IsBelow(place, path)) is { } lost)
            {
                throw new InstallException(
                    $"by its /etc/fstab, the old system has {place} on a file system of its own ({fields[0]}), and an image update " +
                    $"keeps files of its root " +
                    $"alone: {lost} cannot be kept. Nothing was written");
            }
        }
    }

    private static bool IsKeptTarget(string link, string target, string[] tops)
    {
        string full = Path.GetFullPath(target, Path.GetDirectoryName(link)!);
        return tops.Any(top => top == full || IsBelow(full, top));
    }

    private static bool IsBelow(string path, string folder) => path.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>Counts what is read. A file has as many bytes as when it was opened, for the archive's header says so: what it grows by is
    /// left out, what it lacks is zeros.</summary>
    private sealed class CountedReading(FileStream file, Action<long> done) : Stream
    {
        private readonly long _length = file.Length;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => _length;

        public override long Position { get => file.Position; set => file.Position = value; }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int wanted = (int)Math.Min(buffer.Length, _length - file.Position), read = file.Read(buffer[..wanted]);
            if (read == 0 && wanted > 0)
            {
                buffer[..wanted].Clear();
                file.Position += wanted;
                read = wanted;
            }
            done(read);
            return read;
        }

        public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
