using System.Text;

namespace Bootstrap.Imaging.Tests;

/// <summary>What makes a <see cref="TestDisk"/> an image of which a boot set can be taken.</summary>
internal static class RaspberryPiOs
{
    /// <summary>Puts a file into the boot partition.</summary>
    public static void Put(TestDisk disk, string name, byte[] content)
    {
        string file = Path.Combine(disk.Folder, "put");
        File.WriteAllBytes(file, content);
        TestDisk.Run("mcopy", "-i", $"{disk.Image}@@{TestDisk.BootStart}", file, "::" + name);
    }

    /// <summary>As Debian has it: /lib is a link to /usr/lib.</summary>
    public static void FillRoot(string root)
    {
        foreach (string version in new[] { "6.6.0-v8", "6.6.0-v2712-2712" })
        {
            string folder = Path.Combine(root, "usr/lib/modules", version);
            foreach ((string file, string pack) in new[]
            {
                ("kernel/fs/ext4/ext4.ko", "xz"), ("kernel/fs/jbd2/jbd2.ko", "zstd"), ("kernel/drivers/nvme/nvme.ko", ""),
                    ("kernel/sound/snd.ko", "xz"),
            })
            {
                string path = Path.Combine(folder, file);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllText(path, Path.GetFileNameWithoutExtension(file) + " module");
                if (pack.Length > 0)
                {
                    TestDisk.Run(pack, pack == "zstd" ? ["-q", "--rm", path] : [path]);
                }
            }
            File.WriteAllText(Path.Combine(folder, "modules.dep"), """
                kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.zst
                kernel/fs/jbd2/jbd2.ko.zst:
                kernel/drivers/nvme/nvme.ko:
                kernel/sound/snd.ko.xz:

                """);
            File.WriteAllText(Path.Combine(folder, "modules.alias"), "alias pci:v*bc01sc08i02* nvme\nalias pci:v0000sound* snd\n");
        }
        File.CreateSymbolicLink(Path.Combine(root, "lib"), "usr/lib");
    }

    /// <summary>Something with an arm64 kernel's header and, at a place, its banner.</summary>
    public static byte[] Kernel(string version, int at = 300_000)
    {
        byte[] kernel = new byte[2 << 20];
        TestDisk.Arm64Kernel().AsSpan(0, 200_000).CopyTo(kernel);
        "Linux version %s (%s)\0"u8.CopyTo(kernel.AsSpan(250_000));
        Encoding.ASCII.GetBytes($"Linux version {version} (builder) #1 SMP\n").CopyTo(kernel, at);
        return kernel;
    }
}
