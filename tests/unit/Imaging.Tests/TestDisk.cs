using System.Diagnostics;

namespace Bootstrap.Imaging.Tests;

/// <summary>Makes real disk images with the system's own tools, laid out as Raspberry Pi OS is: MBR, FAT boot partition, ext4
/// root.</summary>
internal sealed class TestDisk : IDisposable
{
    public const long BootStart = 1 << 20, BootBytes = 40L << 20;
    public const long RootStart = BootStart + BootBytes;

    /// <param name="bootSectors">Of a cluster of the boot partition.</param>
    public TestDisk(
        long rootBytes = 64 << 20, string ext4Options = "", Action<string>? fillRoot = null, byte[]? kernel = null, int bootSectors = 1)
    {
        Folder = Directory.CreateTempSubdirectory("test-disk-").FullName;
        string boot = Path.Combine(Folder, "boot.img"), root = Path.Combine(Folder, "root.img"), files = Path.Combine(Folder, "files");
        Directory.CreateDirectory(files);
        File.WriteAllBytes(Path.Combine(files, "random"), Random(5_000_000, 1));
        File.WriteAllText(Path.Combine(files, "hello"), "hello, board\n");
        Directory.CreateDirectory(Path.Combine(files, "etc"));
        File.WriteAllText(Path.Combine(files, "etc/os-release"), "ID=test\n");
        fillRoot?.Invoke(files);
        // mtools guesses the type of a FAT by the count of its clusters: it has enough of them until the kernel is there.
        long bootBytes = Math.Max(BootBytes, 70_000L * bootSectors * 512);
        Run("mkfs.vfat", "-F", "32", "-s", $"{bootSectors}", "-n", "BOOTFS", "-C", boot, (bootBytes / 1024).ToString());
        string kernelFile = Path.Combine(Folder, "kernel8.img");
        File.WriteAllBytes(kernelFile, kernel ?? Arm64Kernel());
        Run("mcopy", "-i", boot, kernelFile, "::kernel8.img");
        using (FileStream volume = File.OpenWrite(boot))
        {
            volume.SetLength(BootBytes);
            volume.Position = 32; // sectors of the whole volume
            volume.Write(BitConverter.GetBytes((uint)(BootBytes / 512)));
        }
        Run("mkfs.ext4", [.. "-q -F -L rootfs".Split(' '), .. ext4Options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-d", files,
            root, $"{rootBytes / 1024}k"]);
        Image = Path.Combine(Folder, "disk.img");
        using (FileStream disk = File.Create(Image))
        {
            disk.SetLength(RootStart + rootBytes);
        }
        RunWithInput("sfdisk",
            $"label: dos\nstart={BootStart / 512}, size={BootBytes / 512}, type=c\nstart={RootStart / 512}, size={rootBytes / 512}, " +
                "type=83\n", "-q", Image);
        Copy(boot, Image, BootStart);
        Copy(root, Image, RootStart);
    }

    public string Folder { get; }

    public string Image { get; }

    public static byte[] Random(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] Arm64Kernel()
    {
        byte[] kernel = Random(700_000, 2);
        "ARMd"u8.CopyTo(kernel.AsSpan(56));
        return kernel;
    }

    /// <summary>The bytes of a file within the FAT partition of a disk.</summary>
    public byte[] ReadBootFile(string disk, string name)
    {
        string target = Path.Combine(Folder, "copied");
        Run("mcopy", "-n", "-o", "-i", $"{disk}@@{BootStart}", "::" + name, target);
        return File.ReadAllBytes(target);
    }

    /// <summary>The bytes of a file within the ext4 partition of a disk, which must pass a full check.</summary>
    public byte[] ReadRootFile(string disk, string name)
    {
        string root = Path.Combine(Folder, "checked.img"), target = Path.Combine(Folder, "dumped");
        using (FileStream source = File.OpenRead(disk), partition = File.Create(root))
        {
            source.Position = RootStart;
            source.CopyTo(partition);
        }
        Run("e2fsck", "-f", "-n", root);
        Run("debugfs", "-R", $"dump /{name} {target}", root);
        return File.ReadAllBytes(target);
    }

    public static void Run(string program, params string[] arguments) => RunWithInput(program, "", arguments);

    public static void RunWithInput(string program, string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            program, arguments)
        { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}");
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static void Copy(string source, string target, long offset)
    {
        using FileStream from = File.OpenRead(source), to = File.OpenWrite(target);
        to.Position = offset;
        from.CopyTo(to);
    }
}
