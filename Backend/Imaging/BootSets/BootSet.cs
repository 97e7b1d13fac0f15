using System.Text;

namespace Bootstrap.Imaging.BootSets;

/// <summary>One kernel of a boot set, with the modules that NetInst needs of it.</summary>
/// <param name="Section">config.txt section of the boards that it is for: <c>all</c> or <c>pi5</c>.</param>
/// <param name="File">The kernel: "kernel8.img".</param>
/// <param name="Initramfs">What the board asks for as its initramfs: "initramfs-kernel8".</param>
/// <param name="Modules">The file that begins it, made of the image's own modules: "modules-kernel8.cpio.zst".</param>
/// <param name="Version">"6.6.51+rpt-rpi-v8".</param>
public sealed record BootKernel(string Section, string File, string Initramfs, string Modules, string Version);

/// <summary>Boot files that were taken from an image: its firmware, device trees and kernels, in one folder.</summary>
/// <param name="Name">What people call it: a-z, 0-9, '.', '_' and '-'.</param>
/// <param name="Image">Name of the image.</param>
/// <param name="ImageDigest">The image's identity.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="UpstreamNames">The image's kernel names its device trees as the upstream kernel does.</param>
/// <param name="Kernels">At least one; the one for all boards first.</param>
/// <param name="Bytes">Of all its files.</param>
public sealed record BootSet(
    string Name, string Image, string ImageDigest, long CreatedAt, bool UpstreamNames, IReadOnlyList<BootKernel> Kernels, long Bytes)
{
    /// <summary>The lines of config.txt that choose among its kernels.</summary>
    public string Config()
    {
        var text = new StringBuilder("arm_64bit=1\nenable_uart=1\n");
        if (UpstreamNames)
        {
            text.Append("upstream_kernel=1\n");
        }
        foreach (BootKernel kernel in Kernels)
        {
            text.Append($"[{kernel.Section}]\nkernel={kernel.File}\ninitramfs {kernel.Initramfs} followkernel\n");
        }
        return text.Append("[all]\n").ToString();
    }
}
