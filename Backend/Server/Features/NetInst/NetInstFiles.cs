using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Trust;

namespace Bootstrap.Server.Features.NetInst;

/// <summary>A file that nodes fetch, with its digest.</summary>
public sealed record ServedFile(string FilePath, RemoteFile Remote);

/// <summary>
/// NetInst for one architecture: kernel and initramfs. The initramfs is what came with the program (modules, then the agent) and a
/// small third archive that is this appliance's alone: its CA, its mesh, the token to join with. The Slave program is one zstd frame.
/// </summary>
public sealed record NetInstFiles(string Architecture, ServedFile Kernel, ServedFile Initramfs, ServedFile? Slave, byte[] Personal);

/// <summary>Prepares the files once, at the start.</summary>
public static class NetInstLibrary
{
    /// <summary>The architectures that NetInst exists for.</summary>
    public static readonly IReadOnlyList<string> Architectures = ["arm64", "amd64"];

    /// <summary>
    /// Joins the initramfs of each architecture that the share folder has files for. Nothing is served of an architecture without.
    /// </summary>
    /// <param name="options">Says where the parts are and where the joined file goes.</param>
    /// <param name="authority">The CA that nodes are to trust.</param>
    /// <param name="joinToken">The token to enrol with.</param>
    /// <exception cref="IOException">A file cannot be read; the message says which.</exception>
    public static IReadOnlyDictionary<string, NetInstFiles> Prepare(ApplianceOptions options, CertificateAuthority authority,
        string joinToken)
    {
        byte[] personal = PersonalArchive(options.Mesh, authority, joinToken);
        string folder = Path.Combine(options.DataFolder, "boot");
        var library = new Dictionary<string, NetInstFiles>();
        foreach (string architecture in Architectures)
        {
            string source = Path.Combine(options.ShareFolder, "netinst", architecture);
            string kernel = Path.Combine(source, "kernel");
            string[] parts = [Path.Combine(source, "modules.cpio.zst"), Path.Combine(source, "init.cpio.zst")];
            if (!IsThere(kernel) || !parts.All(IsThere))
            {
                continue;
            }
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            string initramfs = Path.Combine(folder, $"initramfs-{architecture}");
            Join(initramfs, parts, personal);
            string slave = Path.Combine(options.ShareFolder, "slave", architecture, "bootstrap-slave.zst");
            library.Add(architecture, new NetInstFiles(architecture,
                Describe(kernel, $"/netinst/{architecture}/kernel"),
                Describe(initramfs, $"/netinst/{architecture}/initramfs"),
                IsThere(slave) ? Describe(slave, $"/programs/slave/{architecture}") : null,
                personal));
        }
        return library;
    }

    /// <summary>True for a file, and for a link to one; a link to nothing is a mistake that somebody must hear of.</summary>
    private static bool IsThere(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }
        return File.ResolveLinkTarget(path, returnFinalTarget: true) is { Exists: false } target
            ? throw new IOException(
                $"{path} is a link to {target.FullName}, which does not exist: make that file, or remove the link to do without it")
            : true;
    }

    /// <summary>The archive that makes a generic NetInst this appliance's own.</summary>
    private static byte[] PersonalArchive(string mesh, CertificateAuthority authority, string joinToken)
    {
        string folder = NodeFiles.Directory.TrimStart('/');
        var settings = new NodeSettings(mesh, [], joinToken, null);
        var archive = new CpioArchive();
        archive.AddDirectory(folder, 0x1c0 /* 0700 */);
        archive.AddFile($"{folder}/{NodeFiles.Authority}", 0x180 /* 0600 */,
            System.Text.Encoding.ASCII.GetBytes(authority.Certificate.ExportCertificatePem()));
        archive.AddFile($"{folder}/{NodeFiles.Settings}", 0x180,
            JsonSerializer.SerializeToUtf8Bytes(settings, ProtocolJson.Default.NodeSettings));
        return archive.ToArray();
    }

    private static void Join(string target, string[] parts, byte[] personal)
    {
        string temporary = target + ".new";
        using (FileStream joined = File.Create(temporary))
        {
            foreach (string part in parts)
            {
                using FileStream source = File.OpenRead(part);
                source.CopyTo(joined);
                // The kernel skips zeros between archives, but wants each to start on a multiple of four.
                joined.Write(new byte[(int)(-joined.Length & 511)]);
            }
            joined.Write(personal);
        }
        File.Move(temporary, target, overwrite: true);
    }

    private static ServedFile Describe(string path, string urlPath)
    {
        using FileStream file = File.OpenRead(path);
        Span<byte> hash = stackalloc byte[Digest.Size];
        System.Security.Cryptography.SHA256.HashData(file, hash);
        return new ServedFile(path, new RemoteFile(urlPath, new Digest(hash), file.Length));
    }
}
