using System.Buffers.Binary;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>
/// The node's identity on its own disk: what a board that starts NetInst from the network proves with that it is the node which it was. It
/// is read from
/// the installed system, or, while an installation is under way, from a place before the first partition, so that a board that loses power
/// in the middle
/// is still itself.
/// </summary>
/// <remarks>
/// That place is at 8 KiB of the disk: 16 bytes "bootstrap node\n\0", the length of the content (32 bits, little-endian), the content as in
/// <see cref="NodeFiles.Identity"/>, and its SHA-256. The image's own head is written over it at the end.
/// </remarks>
public static class DiskIdentity
{
    /// <summary>Where the record stands, and what it may take: behind what makes a disk bootable, before any partition.</summary>
    public const int Offset = 8 << 10, Bytes = 8 << 10;

    private const string MountPoint = "/mnt";
    private const int LengthOffset = 16, ContentOffset = 20;

    private static ReadOnlySpan<byte> Magic => "bootstrap node\n\0"u8;

    /// <summary>The record, filled with zeros; only zeros where the content is too long for it.</summary>
    /// <param name="pem">Content of <see cref="NodeFiles.Identity"/>.</param>
    public static byte[] Record(string pem)
    {
        byte[] record = new byte[Bytes], content = Encoding.ASCII.GetBytes(pem);
        if (ContentOffset + content.Length + Digest.Size <= Bytes)
        {
            Magic.CopyTo(record);
            BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(LengthOffset), content.Length);
            content.CopyTo(record, ContentOffset);
            Digest.Of(content).CopyTo(record.AsSpan(ContentOffset + content.Length));
        }
        return record;
    }

    /// <summary>The content of a record; null where there is none, or it is damaged.</summary>
    public static string? Read(ReadOnlySpan<byte> record)
    {
        if (record.Length < Bytes || !record.StartsWith(Magic) ||
            BinaryPrimitives.ReadInt32LittleEndian(record[LengthOffset..]) is not (> 0 and <= Bytes - ContentOffset - Digest.Size and var length))
        {
            return null;
        }
        ReadOnlySpan<byte> content = record.Slice(ContentOffset, length);
        return Digest.Of(content) == new Digest(record[(ContentOffset + length)..]) ? Encoding.ASCII.GetString(content) : null;
    }

    /// <summary>Looks for this board's identity on its disks. Nothing is written, no journal replayed.</summary>
    /// <param name="disks">The board's.</param>
    /// <param name="node">Who this board is.</param>
    /// <param name="authority">The appliance's CA: an identity of another one says nothing here.</param>
    /// <param name="log">The node's log.</param>
    public static NodeIdentity? Find(IEnumerable<DiskInfo> disks, NodeId node, X509Certificate2 authority, Action<string> log)
    {
        foreach (DiskInfo disk in disks)
        {
            foreach (string pem in Contents(disk, log))
            {
                NodeIdentity? identity = NodeIdentity.Parse(pem);
                if (identity is not null && identity.Name == node.ToString() && Trust.IsIssuedBy(identity.Certificate, authority))
                {
                    log($"disk {disk.Name} holds the identity of this board");
                    return identity;
                }
                identity?.Dispose();
            }
        }
        return null;
    }

    private static IEnumerable<string> Contents(DiskInfo disk, Action<string> log)
    {
        if (ReadRecord($"/dev/{disk.Name}") is { } record)
        {
            yield return record;
        }
        foreach (string partition in PartitionsOf(disk.Name))
        {
            foreach (string pem in ReadSystem($"/dev/{partition}", log))
            {
                yield return pem;
            }
        }
    }

    private static string? ReadRecord(string device)
    {
        byte[] record = new byte[Bytes];
        try
        {
            using FileStream file = File.OpenRead(device);
            file.Position = Offset;
            file.ReadExactly(record);
            return Read(record);
        }
        catch (IOException)
        {
            return null; // a reader without a card, a disk that fails: it holds nothing for us
        }
    }

    /// <summary>Partitions of a disk as the kernel names them, in the order of their numbers.</summary>
    public static IEnumerable<string> PartitionsOf(string disk) =>
        Directory.EnumerateDirectories($"/sys/block/{disk}").Select(folder => Path.GetFileName(folder))
            .Where(name => File.Exists($"/sys/block/{disk}/{name}/partition")).Order(StringComparer.Ordinal);

    private static List<string> ReadSystem(string partition, Action<string> log)
    {
        var found = new List<string>();
        try
        {
            // Not even the journal of a disk that nobody assigned anything is replayed.
            using var mounted = new MountedVolume(partition, MountPoint, "ext4", "a file system", readOnly: true, options: "noload");
            using var root = new RootedFolder(mounted.Path);
            // The newer one first: the appliance may know that alone.
            foreach (string name in new[] { NodeFiles.NextIdentity, NodeFiles.Identity })
            {
                if (root.ReadText($"{NodeFiles.Directory}/{name}") is { Length: < Bytes } pem)
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
