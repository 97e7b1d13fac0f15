namespace Bootstrap.Board;

/// <summary>What an NVMe drive tells of its own wear: NVM Express Base Specification 1.4, 5.14.1.2, "SMART / Health Information".</summary>
internal static unsafe class NvmeHealth
{
    /// <summary>linux/nvme_ioctl.h: _IOWR('N', 0x41, struct nvme_admin_cmd).</summary>
    private const nuint AdminCommand = 0xC0484E41;

    private const int CommandBytes = 72, PageBytes = 512, PercentageUsedOffset = 5;

    /// <summary>Get Log Page, of page 2, for the whole drive; the length is in dwords, less one.</summary>
    private const byte GetLogPage = 0x02;

    private const uint HealthPage = 0x02, WholeDrive = uint.MaxValue, TimeoutMilliseconds = 1000;

    /// <summary>Percent of its estimated life that is used up; may be more than 100.</summary>
    /// <param name="path">"/dev/nvme0n1".</param>
    /// <returns>Null: it cannot be asked.</returns>
    public static int? LifeUsedPercent(string path)
    {
        int fd = Linux.Open(path, Linux.O_RDONLY | Linux.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return null;
        }
        try
        {
            byte* page = stackalloc byte[PageBytes];
            byte* command = stackalloc byte[CommandBytes];
            new Span<byte>(command, CommandBytes).Clear();
            command[0] = GetLogPage;
            *(uint*)(command + 4) = WholeDrive;
            *(ulong*)(command + 24) = (ulong)page;
            *(uint*)(command + 36) = PageBytes;
            *(uint*)(command + 40) = HealthPage | (((PageBytes / sizeof(uint)) - 1) << 16);
            *(uint*)(command + 64) = TimeoutMilliseconds;
            return Linux.IoCtl(fd, AdminCommand, command) == 0 ? page[PercentageUsedOffset] : null;
        }
        finally
        {
            _ = Linux.Close(fd);
        }
    }
}
