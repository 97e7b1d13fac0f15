using System.Security.Cryptography.X509Certificates;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>
/// The node's identity on its own disk: what a board that starts NetInst from the network proves with that it is the node which it was. It
/// is read from the installed system, or, while an installation is under way, from its <see cref="IdentityRecord"/>.
/// </summary>
public static class DiskIdentity
{
    private const string MountPoint = "/mnt";

    /// <summary>All identities of this board that a disk holds, the likeliest first. Nothing is written, no journal replayed.</summary>
    /// <param name="disk">One of the board's.</param>
    /// <param name="node">Who this board is.</param>
    /// <param name="authority">The appliance's CA: an identity of another one says nothing here.</param>
    /// <param name="log">The node's log.</param>
    public static IReadOnlyList<NodeIdentity> FindOn(DiskInfo disk, NodeId node, X509Certificate2 authority, Action<string> log) =>
        FindOn($"/dev/{disk.Name}", PartitionsOf(disk.Name).Select(partition => $"/dev/{partition}"), MountPoint, node, authority, log);

    /// <summary>The same for a disk that the kernel knows no partitions of.</summary>
    /// <param name="device">The whole disk.</param>
    /// <param name="partitions">What may be systems.</param>
    /// <param name="mountPoint">Where these are mounted, one after the other.</param>
    /// <param name="node">Who this board is.</param>
    /// <param name="authority">The appliance's CA.</param>
    /// <param name="log">The node's log.</param>
    public static IReadOnlyList<NodeIdentity> FindOn(
        string device, IEnumerable<string> partitions, string mountPoint, NodeId node, X509Certificate2 authority, Action<string> log)
    {
        var found = new List<NodeIdentity>();
        IEnumerable<string> contents =
            ReadRecords(device).Concat(partitions.SelectMany(partition => ReadSystem(partition, mountPoint, log)));
        foreach (NodeIdentity identity in contents.Select(NodeIdentity.Parse).OfType<NodeIdentity>())
        {
            if (identity.Name == node.ToString() && Trust.IsIssuedBy(identity.Certificate, authority))
            {
                found.Add(identity);
            }
            else
            {
                identity.Dispose();
            }
        }
        if (found.Count > 0)
        {
            log($"disk {Path.GetFileName(device)} holds the identity of this board");
        }
        return found;
    }

    private static IEnumerable<string> ReadRecords(string device)
    {
        byte[] head = new byte[IdentityRecord.End];
        try
        {
            using FileStream file = File.OpenRead(device);
            int read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            return IdentityRecord.FindIn(head.AsSpan(0, read)).Select(record => record.Pem);
        }
        catch (IOException)
        {
            return []; // a reader without a card, a disk that fails: it holds nothing for us
        }
    }

    /// <summary>Partitions of a disk as the kernel names them, in the order of their numbers.</summary>
    public static IEnumerable<string> PartitionsOf(string disk) =>
        Directory.EnumerateDirectories($"/sys/block/{disk}").Select(folder => Path.GetFileName(folder))
            .Where(name => File.Exists($"/sys/block/{disk}/{name}/partition")).Order(StringComparer.Ordinal);

    private static List<string> ReadSystem(string partition, string mountPoint, Action<string> log)
    {
        var found = new List<string>();
        try
        {
            // Not even the journal of a disk that nobody assigned anything is replayed.
            using var mounted = new MountedVolume(partition, mountPoint, "ext4", "a file system", readOnly: true, options: "noload");
            using var root = new RootedFolder(mounted.Path);
            // The newer one first: the appliance may know that alone.
            foreach (string name in new[] { NodeFiles.NextIdentity, NodeFiles.Identity })
            {
                if (root.ReadText($"{NodeFiles.Directory}/{name}") is { Length: < IdentityRecord.Bytes } pem)
                {
                    found.Add(pem);
                }
            }
        }
        catch (LinuxException)
        {
            // No ext4, as most partitions are; or one that is damaged.
        }
        catch (IOException e)
        {
            log($"{partition} cannot be read: {e.Message}");
        }
        return found;
    }
}
