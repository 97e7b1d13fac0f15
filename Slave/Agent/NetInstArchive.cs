using System.Text;
using Bootstrap.Link;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent;

/// <summary>The last part of a staged NetInst's initramfs: by what it is this node, so that it need not enrol anew.</summary>
internal static class NetInstArchive
{
    private const int Alignment = 512;
    private const uint OwnerFolder = 0x1c0, OwnerFile = 0x180; // 0700, 0600

    /// <summary>Appends to an initramfs file; the kernel unpacks the archives one after the other and skips the zeros between
    /// them.</summary>
    /// <param name="identity">Null: NetInst finds it on the disk (<see cref="NodeFiles.IdentityOnDisk"/>).</param>
    /// <param name="configSwapped">Tells NetInst to put the board's own config.txt back.</param>
    public static void Append(string initramfs, NodeIdentity? identity, bool configSwapped)
    {
        string folder = NodeFiles.Directory.TrimStart('/');
        var archive = new CpioArchive();
        archive.AddDirectory(folder, OwnerFolder);
        if (identity is not null)
        {
            archive.AddFile($"{folder}/{NodeFiles.Identity}", OwnerFile, Encoding.ASCII.GetBytes(identity.Pem));
        }
        else
        {
            archive.AddFile($"{folder}/{NodeFiles.IdentityOnDisk}", OwnerFile, []);
        }
        if (configSwapped)
        {
            archive.AddFile($"{folder}/{NodeFiles.ConfigSwapped}", OwnerFile, []);
        }
        using FileStream file = File.Open(initramfs, FileMode.Open, FileAccess.ReadWrite);
        file.Seek(0, SeekOrigin.End);
        file.Write(new byte[(int)(-file.Length & (Alignment - 1))]);
        file.Write(archive.ToArray());
        file.Flush(flushToDisk: true);
    }
}
