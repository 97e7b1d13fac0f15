using System.Text;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>File systems on disks: how full they are, and whether they can still be written to.</summary>
internal sealed class FileSystemSource(string root) : ISource
{
    /// <summary>A machine with many containers has a long table; mounts of disks come first in it.</summary>
    private const int ShortTable = 8 << 10, LongestTable = 256 << 10, LongestFstab = 16 << 10;

    private readonly string _own = Path.Combine(root, "proc/self/mountinfo");

    /// <summary>What is mounted for the machine. The Slave's own view is not it: systemd gives it one in which nearly everything is
    /// read-only and home folders are hidden (systemd.exec(5), ProtectSystem=, ProtectHome=).</summary>
    private readonly KeptFile _table = new(
        Path.Combine(root, File.Exists(Path.Combine(root, "proc/1/mountinfo")) ? "proc/1/mountinfo" : "proc/self/mountinfo"));

    /// <summary>Points at which this program has seen a file system that could be written to.</summary>
    private readonly HashSet<string> _writable = new(StringComparer.Ordinal);

    private List<FileSystem> _systems = [];
    private byte[] _text = new byte[ShortTable], _seen = new byte[ShortTable];
    private int _seenLength;

    public void Scan()
    {
        // Mounts come and go more often than devices: Read looks for them.
    }

    private void Look()
    {
        int length = 0;
        while (_table.Read(_text.AsSpan(length), length) is > 0 and var more)
        {
            length += more;
            if (length == _text.Length && length < LongestTable)
            {
                Array.Resize(ref _text, 2 * length);
            }
        }
        // Most of the time it is the same as before, and nothing is made of it.
        if (!_text.AsSpan(0, length).SequenceEqual(_seen.AsSpan(0, _seenLength)))
        {
            (_text, _seen, _seenLength) = (_seen, _text, length);
            LookAt(MountTable.Read(_seen.AsSpan(0, length), Sample.MaximumParts));
        }
        foreach (FileSystem system in _systems)
        {
            system.Space = system.IsSeen ? Linux.SpaceOf(system.Path) : null;
        }
    }

    private void LookAt(IReadOnlyList<DiskMount> mounts)
    {
        HashSet<string> wanted = mounts.Any(mount => mount.IsReadOnly)
            ? MountTable.WritableIn(KeptFile.TextOf(Path.Combine(root, "etc/fstab"), LongestFstab)) : [];
        _writable.IntersectWith(mounts.Select(mount => mount.Point));
        _writable.UnionWith(mounts.Where(mount => !mount.IsReadOnly).Select(mount => mount.Point));
        IReadOnlyList<DiskMount> own =
            MountTable.Read(Encoding.UTF8.GetBytes(KeptFile.TextOf(_own, LongestTable) ?? ""), Sample.MaximumParts);
        List<FileSystem> before = _systems;
        _systems = [.. mounts.Select(mount => before.Find(known => known.Mount.Point == mount.Point) is { } known
            ? known with { Mount = mount } : new FileSystem(mount, Path.Combine(root, mount.Point.TrimStart('/'))))];
        foreach (FileSystem system in _systems)
        {
            system.IsBroken = system.Mount.HasFailed ||
                (system.Mount.IsReadOnly && (wanted.Contains(system.Mount.Point) || _writable.Contains(system.Mount.Point)));
            system.IsSeen = own.Any(mount => mount.Point == system.Mount.Point && mount.Number == system.Mount.Number);
        }
    }

    public void Read(Sample sample)
    {
        if (sample.IsSlow || sample.HasFileSystemError)
        {
            Look();
        }
        double size = 0;
        double? used = null, inodes = null;
        foreach (FileSystem system in _systems)
        {
            sample.Set(system.ReadOnlyKey, system.IsBroken);
            if (system.Space is not { Size: > 0 } space)
            {
                continue;
            }
            size += space.Size;
            sample.Set(system.SizeKey, space.Size);
            sample.Set(system.UsedKey, system.Used);
            sample.Set(system.InodesKey, system.UsedFiles);
            used = Fuller(used, system.Used);
            inodes = Fuller(inodes, system.UsedFiles);
        }
        sample.Set(Metrics.FileSystemSize, size > 0 ? size : null);
        sample.Set(Metrics.FileSystemUsed, used);
        sample.Set(Metrics.Inodes, inodes);
        if (_systems.Count > 0)
        {
            sample.Set(Metrics.ReadOnly, _systems.Exists(system => system.IsBroken));
        }
    }

    private static double? Fuller(double? a, double? b) => a is null ? b : b is null ? a : Math.Max(a.Value, b.Value);

    public void Write(MetricsWriter writer)
    {
        foreach ((string name, string help, Func<FileSystem, double?> value) in s_families)
        {
            bool any = false;
            foreach (FileSystem system in _systems)
            {
                if (value(system) is { } known)
                {
                    if (!any)
                    {
                        writer.Family(name, "gauge", help);
                        any = true;
                    }
                    DiskMount mount = system.Mount;
                    writer.Value(name, known, ("device", mount.Device), ("fstype", mount.Type), ("mountpoint", mount.Point));
                }
            }
        }
    }

    private static readonly (string Name, string Help, Func<FileSystem, double?> Value)[] s_families =
    [
        ("node_filesystem_size_bytes", "Filesystem size in bytes.", system => system.Space?.Size),
        ("node_filesystem_free_bytes", "Filesystem free space in bytes.", system => system.Space?.Free),
        ("node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.", system => system.Space?.Available),
        ("node_filesystem_files", "Filesystem total file nodes.", system => system.Space?.Files),
        ("node_filesystem_files_free", "Filesystem total free file nodes.", system => system.Space?.FreeFiles),
        ("node_filesystem_readonly", "Filesystem read-only status.", system => system.Mount.IsReadOnly ? 1 : 0),
        ("bootstrap_filesystem_readonly_fault", "It is read-only, and should not be.", system => system.IsBroken ? 1 : 0),
    ];

    public void Dispose() => _table.Dispose();

    /// <param name="Path">At which it can be asked.</param>
    private sealed record FileSystem(DiskMount Mount, string Path)
    {
        public string SizeKey { get; } = MetricKey.Of(Metrics.FileSystemSize, Words.Shown(Mount.Point));

        public string UsedKey { get; } = MetricKey.Of(Metrics.FileSystemUsed, Words.Shown(Mount.Point));

        public string InodesKey { get; } = MetricKey.Of(Metrics.Inodes, Words.Shown(Mount.Point));

        public string ReadOnlyKey { get; } = MetricKey.Of(Metrics.ReadOnly, Words.Shown(Mount.Point));

        /// <summary>Below its point this program finds that file system, and not something else.</summary>
        public bool IsSeen { get; set; }

        /// <summary>Null: not known.</summary>
        public FileSystemSpace? Space { get; set; }

        /// <summary>Read-only, and should not be.</summary>
        public bool IsBroken { get; set; }

        /// <summary>As df(1) tells it: what root may have beyond the end is no part of the whole.</summary>
        public double? Used => Space is { } space && space.Size >= space.Free &&
            space.Size - space.Free + space.Available is > 0 and var whole
            ? 100.0 * (space.Size - space.Free) / whole : null;

        public double? UsedFiles => Space is { Files: > 0 } space && space.Files >= space.FreeFiles
            ? 100.0 * (space.Files - space.FreeFiles) / space.Files : null;
    }
}
