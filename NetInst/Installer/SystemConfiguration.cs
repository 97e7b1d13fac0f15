using System.Text;
using System.Text.Json;
using Bootstrap.Board;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>Edits a freshly written system so that it starts as this node, with the Slave.</summary>
public static class SystemConfiguration
{
    /// <summary>Where the Slave is installed; its unit file says so too.</summary>
    public const string SlaveProgram = "/usr/local/bin/bootstrap-slave";

    // Octal 0600, 0644, 0700, 0755.
    internal const int OwnerFile = 0x180, PublicFile = 0x1a4, OwnerFolder = 0x1c0, Executable = 0x1ed;

    /// <summary>An image that has this gets its host name at each start from wherever that finds one, if nobody stops it.</summary>
    internal const string CloudInit = "/usr/bin/cloud-init";

    /// <summary>Read after the image's own files, such as Raspberry Pi OS' 99_raspberry-pi.cfg, which have less to say then.</summary>
    internal const string CloudConfiguration = "/etc/cloud/cloud.cfg.d/zz-bootstrap.cfg";

    /// <summary>cloud-init's modules set_hostname, update_hostname and update_etc_hosts leave alone what is here.</summary>
    internal const string KeepName = "preserve_hostname: true\nmanage_etc_hosts: false\n";

    private const string UnitName = "bootstrap-slave.service";

    /// <summary>Takes out what is each node's own and must not come from an image.</summary>
    /// <exception cref="IOException">The message names the file.</exception>
    public static void Clear(RootedFolder root)
    {
        // systemd makes a new id at the first start; nodes from one image must not share one (DHCP leases hang on it).
        WriteText(root, "/etc/machine-id", "", 0x124); // 0444
        RemoveHostKeys(root);
    }

    /// <summary>Makes all the edits; doing it again changes nothing.</summary>
    /// <param name="root">The mounted system.</param>
    /// <param name="installId">By which the new system will prove that it is this installation's.</param>
    /// <param name="log">Told what the image lacks of what a profile wants.</param>
    /// <exception cref="IOException">The message names the file.</exception>
    /// <exception cref="InstallException">The profile cannot be applied to this image.</exception>
    public static void Apply(
        RootedFolder root, Guid installId, NodeConfiguration configuration, InstallTrust trust, ReadOnlySpan<byte> slaveProgram,
        Action<string> log)
    {
        WriteText(root, "/etc/hostname", configuration.HostName + '\n', PublicFile);
        WriteText(root, "/etc/hosts", Hosts(root.ReadText("/etc/hosts") ?? "", configuration.HostName), PublicFile);
        if (root.Exists(CloudInit))
        {
            WriteText(root, CloudConfiguration, KeepName, PublicFile);
            KeepNameInHosts(root, configuration.HostName);
        }
        if (configuration.AuthorizedKeys.Count > 0)
        {
            root.MakeFolder("/root/.ssh", OwnerFolder);
            WriteText(root, "/root/.ssh/authorized_keys", string.Concat(configuration.AuthorizedKeys.Select(key => key.Trim() + '\n')),
                OwnerFile);
        }
        if (configuration.Profile is { } profile)
        {
            ProfileConfiguration.Apply(root, installId, configuration.HostName, profile, log);
        }
        WriteNodeFiles(root, installId, configuration, trust);
        root.WriteFile(SlaveProgram, slaveProgram, Executable);
        if (HasSystemd(root))
        {
            WriteText(root, $"/etc/systemd/system/{UnitName}", ReadUnit(), PublicFile);
            root.Link($"/etc/systemd/system/multi-user.target.wants/{UnitName}", $"/etc/systemd/system/{UnitName}");
        }
    }

    private static void WriteNodeFiles(RootedFolder root, Guid installId, NodeConfiguration configuration, InstallTrust trust)
    {
        const string folder = NodeFiles.Directory;
        string[] backends = [.. configuration.Backends.Append(trust.Appliance.ToString()).Distinct()];
        var settings = new NodeSettings(configuration.Mesh, backends, JoinToken: null, installId,
            configuration.HostName);
        root.MakeFolder(folder, OwnerFolder);
        WriteText(root, $"{folder}/{NodeFiles.Authority}", trust.Authority.ExportCertificatePem() + '\n', PublicFile);
        WriteText(root, $"{folder}/{NodeFiles.Identity}", trust.IdentityPem, OwnerFile);
        WriteText(root, $"{folder}/{NodeFiles.Settings}", JsonSerializer.Serialize(settings, ProtocolJson.Default.NodeSettings) + '\n',
            OwnerFile);
    }

    /// <summary>
    /// An image that ships SSH host keys gives every node the same secret: they go, and sshd makes new ones at its next start
    /// (images that ship none see to that themselves).
    /// </summary>
    private static void RemoveHostKeys(RootedFolder root)
    {
        string[] keys = [.. root.Names("/etc/ssh").Where(name => name.StartsWith("ssh_host_", StringComparison.Ordinal))];
        foreach (string key in keys)
        {
            root.Delete($"/etc/ssh/{key}");
        }
        if (keys.Length > 0 && HasSystemd(root))
        {
            // The empty assignment drops the unit's own check of the configuration, which fails without keys; it comes second here.
            WriteText(root, "/etc/systemd/system/ssh.service.d/bootstrap-host-keys.conf",
                "[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n", PublicFile);
        }
    }

    /// <summary>User-data that an image brings, such as Raspberry Pi Imager's, may have cloud-init make /etc/hosts all the same, by its
    /// own name: then by these templates.</summary>
    private static void KeepNameInHosts(RootedFolder root, string hostName)
    {
        const string folder = "/etc/cloud/templates";
        foreach (string name in root.Names(folder)
            .Where(n => n.StartsWith("hosts.", StringComparison.Ordinal) && n.EndsWith(".tmpl", StringComparison.Ordinal)))
        {
            WriteText(root, $"{folder}/{name}", Hosts(root.ReadText($"{folder}/{name}") ?? "", hostName), PublicFile);
        }
    }

    private static bool HasSystemd(RootedFolder root) => root.Exists("/lib/systemd/systemd") || root.Exists("/usr/lib/systemd/systemd");

    /// <summary>Debian's way: the host's own name is on the line of 127.0.1.1.</summary>
    private static string Hosts(string hosts, string hostName)
    {
        IEnumerable<string> others = hosts.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.TrimStart().StartsWith("127.0.1.1", StringComparison.Ordinal));
        string[] lines = [.. others];
        return string.Join('\n', [.. lines.Length > 0 ? lines : ["127.0.0.1\tlocalhost"], $"127.0.1.1\t{hostName}"]) + '\n';
    }

    private static string ReadUnit()
    {
        using Stream unit = typeof(SystemConfiguration).Assembly.GetManifestResourceStream(UnitName)!;
        using var reader = new StreamReader(unit);
        return reader.ReadToEnd();
    }

    internal static void WriteText(RootedFolder root, string path, string text, int mode, FileOwner? owner = null) =>
        root.WriteFile(path, Encoding.UTF8.GetBytes(text), mode, owner);
}
