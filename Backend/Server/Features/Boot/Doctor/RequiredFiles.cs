using Bootstrap.Protocol;

namespace Bootstrap.Server.Features.Boot.Doctor;

/// <summary>
/// What a boot program cannot do without. Each entry is a group of names of which one is enough; boot programs probe for many more files,
/// under several names and folders, and a miss of those is normal.
/// </summary>
internal static class RequiredFiles
{
    /// <summary>One of these must be had.</summary>
    /// <param name="Name">The one to put there.</param>
    /// <param name="Purpose">What it is.</param>
    /// <param name="Is">True for each name of the group.</param>
    public sealed record Group(string Name, string Purpose, Func<FileEvent, bool> Is);

    private static readonly Group s_bootcode = new("bootcode.bin", "the first program that a Raspberry Pi 3 loads",
        f => f.Leaf == "bootcode.bin");

    private static readonly Group s_start = new("start.elf", "the firmware of this model",
        f => f.Leaf is "start.elf" or "start_cd.elf" or "start_x.elf" or "start_db.elf");

    private static readonly Group s_start4 = new("start4.elf", "the firmware of this model",
        f => f.Leaf is "start4.elf" or "start4cd.elf" or "start4x.elf" or "start4db.elf");

    private static readonly Group s_anyStart = new("start4.elf or start.elf", "the board's firmware", f => s_start.Is(f) || s_start4.Is(f));

    private static readonly Group s_kernel = new("kernel8.img", "the kernel", BootCourse.IsKernel);

    private static readonly Group s_deviceTree = new("the board's .dtb", "its device tree, without which the kernel finds no hardware",
        f => f.Leaf.StartsWith("bcm2", StringComparison.Ordinal) && f.Leaf.EndsWith(".dtb", StringComparison.Ordinal));

    /// <summary>What this board cannot do without.</summary>
    public static IEnumerable<Group> Of(BootCourse course) => course switch
    {
        { IsPi: false } => OfPc(course),
        { Board.Family: PiFamily.Pi3 } => [s_bootcode, s_start, s_kernel, s_deviceTree],
        { Board.Family: PiFamily.Pi4 } => [s_start4, s_kernel, s_deviceTree],
        { Board.Family: PiFamily.Pi5 } => [s_kernel, s_deviceTree],
        _ => [s_anyStart, s_kernel, s_deviceTree],
    };

    /// <summary>A PC needs the boot file that it was told, and what iPXE's script names.</summary>
    private static IEnumerable<Group> OfPc(BootCourse course) =>
        course.Dhcp.Select(e => e.BootFile).OfType<string>().Distinct()
            .Select(file => new Group(file, "the boot file that the board was told", f => file.EndsWith(f.Path, StringComparison.Ordinal)))
            .Append(new Group("NetInst's kernel", "what is to be started", f => f.Protocol == FileProtocol.Http && BootCourse.IsKernel(f)));
}
