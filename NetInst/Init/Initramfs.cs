using System.Runtime.InteropServices;

namespace Bootstrap.Init;

/// <summary>Tells an initramfs from an installed system.</summary>
internal static unsafe partial class Initramfs
{
    // linux/magic.h; f_type is the first word of struct statfs on 64-bit machines.
    private const long RamFs = 0x858458f6, TmpFs = 0x01021994;

    /// <summary>True if / is in RAM.</summary>
    public static bool IsRoot()
    {
        long* status = stackalloc long[32];
        return StatFs("/", status) == 0 && status[0] is RamFs or TmpFs;
    }

    [LibraryImport("libc", EntryPoint = "statfs", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFs(string path, long* status);
}
