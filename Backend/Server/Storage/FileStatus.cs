using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Bootstrap.Server.Storage;

/// <summary>What .NET does not tell of a file (statx(2)).</summary>
/// <param name="IsRegular">It is a file with content: no pipe, socket or device, which may never end.</param>
/// <param name="IsMount">Something is mounted there: it cannot be moved.</param>
/// <param name="Identity">The same for whatever name leads to it.</param>
public readonly partial record struct FileStatus(bool IsRegular, bool IsMount, (ulong Device, ulong Number) Identity)
{
    private const int Here = -100, NoFollow = 0x100, BasicStats = 0x7ff, MountRoot = 0x2000, TypeMask = 0xf000, Regular = 0x8000;

    private const int Length = 256, AttributesAt = 8, ModeAt = 28, NumberAt = 32, DeviceAt = 136;

    /// <summary>Looks at a file.</summary>
    /// <param name="follow">Whether at what a link leads to.</param>
    /// <returns>Null: it is not there, or leads nowhere.</returns>
    public static FileStatus? Of(string path, bool follow)
    {
        byte[] status = new byte[Length];
        return statx(Here, path, follow ? 0 : NoFollow, BasicStats, status) != 0 ? null : new FileStatus(
            (BinaryPrimitives.ReadUInt16LittleEndian(status.AsSpan(ModeAt)) & TypeMask) == Regular,
            (BinaryPrimitives.ReadUInt64LittleEndian(status.AsSpan(AttributesAt)) & MountRoot) != 0,
            (BinaryPrimitives.ReadUInt64LittleEndian(status.AsSpan(DeviceAt)),
                BinaryPrimitives.ReadUInt64LittleEndian(status.AsSpan(NumberAt))));
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint wanted, [Out] byte[] status);
}
