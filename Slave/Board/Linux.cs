using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Bootstrap.Board;

/// <summary>A system call failed.</summary>
/// <param name="what">Operation and object: "opening /dev/mmcblk0".</param>
/// <param name="errno">The kernel's error number.</param>
public sealed class LinuxException(string what, int errno)
    : IOException($"{what}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})")
{
    /// <summary>The kernel's error number.</summary>
    public int Errno { get; } = errno;
}

/// <summary>
/// The system calls that .NET has no API for. Every function is bound to "libc", the one name that NetInst and Slave link
/// statically (DirectPInvoke). Numbers are those of Linux on arm64 and x86-64; they are the same unless said otherwise.
/// </summary>
public static partial class Linux
{
    public const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_EXCL = 0x80, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000,
        O_PATH = 0x200000;

    /// <summary>For the ...at calls: paths are taken from the working directory on.</summary>
    public const int AT_FDCWD = -100;

    // These three differ between the architectures (arch/arm64/include/uapi/asm/fcntl.h).
    public static readonly int O_DIRECT = IsArm ? 0x10000 : 0x4000;
    public static readonly int O_DIRECTORY = IsArm ? 0x4000 : 0x10000;
    public static readonly int O_NOFOLLOW = IsArm ? 0x8000 : 0x20000;

    public const int EPERM = 1, ENOENT = 2, EIO = 5, EBUSY = 16, EEXIST = 17, EINVAL = 22, ENOSPC = 28;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    /// <summary>Throws for a negative result, naming what was tried.</summary>
    public static long Check(long result, string what) =>
        result >= 0 ? result : throw new LinuxException(what, Marshal.GetLastPInvokeError());

    private static readonly TimeSpan s_mostBusy = TimeSpan.FromSeconds(10), s_busyPause = TimeSpan.FromMilliseconds(20);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    /// <summary>Leaves the last error as it was, for those who clean up before they report it.</summary>
    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static unsafe partial nint PRead(int fd, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static unsafe partial nint PWrite(int fd, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int fd, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(int fd);

    [LibraryImport("libc", EntryPoint = "sync")]
    public static partial void Sync();

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static unsafe partial int IoCtl(int fd, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int domain, int type, int protocol);

    /// <summary>Number of a network interface; 0 if there is none of that name.</summary>
    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int InterfaceIndex(string name);

    [LibraryImport("libc", EntryPoint = "getpid")]
    public static partial int GetPid();

    /// <summary>Signals of <see cref="Kill"/> (asm-generic/signal.h); 0 only asks whether there is such a process.</summary>
    public const int SIGTERM = 15, SIGKILL = 9;

    /// <summary>Sends a signal to a process, or to a whole process group, whose number is negative then.</summary>
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string type, nuint flags, string? data);

    /// <summary>Unmounts. Others look into what is mounted for moments, such as udev, or whoever reads how full it is: that is waited
    /// for.</summary>
    /// <param name="what">Is done, for the message where it cannot be.</param>
    /// <exception cref="LinuxException">It cannot be unmounted, or is in use for longer than that.</exception>
    public static void Unmount(string target, string what)
    {
        using var never = new ManualResetEventSlim();
        long began = Stopwatch.GetTimestamp();
        while (Unmount(target, 0) < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != EBUSY || Stopwatch.GetElapsedTime(began) > s_mostBusy)
            {
                throw new LinuxException(what, errno);
            }
            never.Wait(s_busyPause);
        }
    }

    /// <inheritdoc cref="Unmount(string, string)"/>
    /// <param name="flags">Of umount2(2).</param>
    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "reboot", SetLastError = true)]
    public static partial int Reboot(int command);

    [LibraryImport("libc", EntryPoint = "clock_settime", SetLastError = true)]
    public static unsafe partial int SetClock(int clock, long* timespec);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectoryAt(int fd, string path, int mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OpenAt(int fd, string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RenameAt(int fromFd, string from, int toFd, string to);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UnlinkAt(int fd, string path, int flags);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SymlinkAt(string target, int fd, string path);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    public static partial int FChMod(int fd, int mode);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    public static partial int FChOwn(int fd, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChOwn(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int LinkAt(int fromFd, string from, int toFd, string to, int flags);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeNodeAt(int fd, string path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int directory, string path, int flags, uint mask, byte* buffer);

    /// <summary>Who owns a file: numbers of user and group.</summary>
    /// <exception cref="LinuxException">It is not there, or out of reach.</exception>
    public static (uint User, uint Group) OwnerOf(string path)
    {
        const int noFollow = 0x100;
        return OwnerOf(AT_FDCWD, path, noFollow);
    }

    /// <summary>Who owns what is open.</summary>
    public static (uint User, uint Group) OwnerOf(int fd)
    {
        const int emptyPath = 0x1000;
        return OwnerOf(fd, "", emptyPath);
    }

    private static unsafe (uint User, uint Group) OwnerOf(int directory, string path, int flags)
    {
        // struct statx of statx(2): the same on every architecture.
        const int size = 256, userAt = 20, groupAt = 24;
        const uint userAndGroup = 0x8 | 0x10;
        byte* status = stackalloc byte[size];
        Check(StatX(directory, path, flags, userAndGroup, status), $"looking at {path}");
        return (*(uint*)(status + userAt), *(uint*)(status + groupAt));
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint SysCall(nint number, nint a, nint b, nint c, nint d, nint e);

    private const int SysOpenAt2 = 437;

    /// <summary>
    /// openat2(2), Linux 5.6, with RESOLVE_IN_ROOT: <paramref name="directory"/> is "/" for the whole resolution, so
    /// neither ".." nor any symbolic link leads out of it.
    /// </summary>
    public static unsafe int OpenInRoot(int directory, string path, int flags, int mode)
    {
        const ulong resolveInRoot = 0x10;
        ulong* how = stackalloc ulong[] { (uint)flags, (uint)mode, resolveInRoot };
        byte[] name = Terminated(path);
        fixed (byte* p = name)
        {
            return (int)SysCall(SysOpenAt2, directory, (nint)p, (nint)how, 3 * sizeof(ulong), 0);
        }
    }

    /// <summary>finit_module(2): gives an open module file to the kernel.</summary>
    public static unsafe int LoadModule(int fd)
    {
        fixed (byte* none = "\0"u8)
        {
            return (int)SysCall(IsArm ? 273 : 313, fd, (nint)none, 0, 0, 0);
        }
    }

    /// <summary>kexec_file_load(2): makes a kernel and initramfs what <see cref="RebootKexec"/> starts.</summary>
    public static unsafe int LoadKexec(int kernel, int initramfs, string commandLine)
    {
        byte[] line = Terminated(commandLine);
        fixed (byte* p = line)
        {
            return (int)SysCall(IsArm ? 294 : 320, kernel, initramfs, line.Length, (nint)p, 0);
        }
    }

    /// <summary>Arguments of <see cref="Reboot"/> (linux/reboot.h).</summary>
    public const int RebootRestart = 0x01234567, RebootPowerOff = 0x4321fedc, RebootKexec = 0x45584543;

    /// <summary>Flags of <see cref="Mount"/>.</summary>
    public const nuint MountReadOnly = 1, MountNoSuid = 2, MountNoDev = 4, MountNoExec = 8, MountNoATime = 1024;

    private static byte[] Terminated(string text) => System.Text.Encoding.UTF8.GetBytes(text + '\0');
}
