using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Bootstrap.Board;

namespace Bootstrap.Agent.Slots;

/// <summary>
/// UEFI's way: an entry of the boot manager for each slot's EFI system partition. BootNext starts one once, and the first of BootOrder is
/// started always (UEFI specification 2.10, sections 3.1 and 3.3). Where the network comes first it stays so: the slot is the first of what
/// follows it.
/// </summary>
/// <param name="program">What the firmware starts of a slot: "BOOTX64.EFI".</param>
internal sealed class EfiSwitch(SlotLayout layout, EfiVariables variables, string program) : ISlotSwitch
{
    private const int SectorBytes = 512;

    /// <summary>The program that firmware starts from a disk for an architecture of Debian's name (UEFI specification 2.10, section
    /// 3.5.1).</summary>
    public static string ProgramFor(string architecture) => architecture == "arm64" ? "BOOTAA64.EFI" : "BOOTX64.EFI";

    public void Check()
    {
        if (variables.Next is not { } next)
        {
            return;
        }
        if (!new[] { layout.Running.Boot, layout.OtherBoot }.Any(boot => variables.Find(Description(boot)) == next))
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture,
                $"the firmware is to start something else next (BootNext is {next:X4}): restart the node first"));
        }
        // Left by an update that did not come to its restart: that slot is about to be written.
        variables.Next = null;
    }

    public void Prepare()
    {
        // Also the running one's: without it, there may be no entry that comes back to it for certain once the other one was committed.
        ushort running = Put(layout.Running.Boot), tried = Put(layout.OtherBoot);
        if (Usual is not { } usual || usual == tried)
        {
            MakeUsual(running);
        }
        variables.Next = tried;
    }

    public bool IsCommitted => Usual is { } usual && variables.Find(Description(layout.Running.Boot)) == usual;

    public void Commit()
    {
        ushort own = Put(layout.Running.Boot);
        if (Usual != own)
        {
            MakeUsual(own);
        }
    }

    /// <summary>What is started when the network has nothing to start; null: nothing.</summary>
    private ushort? Usual => variables.Order.SkipWhile(variables.IsNetwork).Select(n => (ushort?)n).FirstOrDefault();

    private void MakeUsual(ushort entry)
    {
        ushort[] others = [.. variables.Order.Where(n => n != entry)];
        int network = others.TakeWhile(variables.IsNetwork).Count();
        variables.Order = [.. others[..network], entry, .. others[network..]];
    }

    private ushort Put(int boot)
    {
        SlotPartition partition = layout.Find(boot)!;
        string description = Description(boot);
        return variables.Put(Entry(partition, description), description);
    }

    private string Description(int boot) => SlotEntries.DescriptionOf(boot < Other(boot) ? 'a' : 'b');

    private int Other(int boot) => boot == layout.OtherBoot ? layout.Running.Boot : layout.OtherBoot;

    /// <summary>EFI_LOAD_OPTION (section 3.1.3): active, with the path of a partition (10.3.5.1) and of a file on it (10.3.5.4).</summary>
    private byte[] Entry(SlotPartition partition, string description)
    {
        byte[] drive = new byte[42], file = Node(4, 4, Encoding.Unicode.GetBytes($@"\EFI\BOOT\{program}" + '\0')),
            end = Node(0x7f, 0xff, []);
        Node(4, 1, drive[4..]).CopyTo(drive, 0);
        BinaryPrimitives.WriteInt32LittleEndian(drive.AsSpan(4), partition.Number);
        BinaryPrimitives.WriteInt64LittleEndian(drive.AsSpan(8), partition.Start / SectorBytes);
        BinaryPrimitives.WriteInt64LittleEndian(drive.AsSpan(16), partition.Length / SectorBytes);
        Guid.Parse(partition.Names.Uuid).TryWriteBytes(drive.AsSpan(24));
        (drive[40], drive[41]) = (2, 2); // a GPT, known by a GUID

        byte[] path = [.. drive, .. file, .. end];
        byte[] header = new byte[6];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), (ushort)path.Length);
        return [.. header, .. Encoding.Unicode.GetBytes(description + '\0'), .. path];
    }

    private static byte[] Node(byte type, byte subType, byte[] data)
    {
        byte[] node = new byte[4 + data.Length];
        (node[0], node[1]) = (type, subType);
        BinaryPrimitives.WriteUInt16LittleEndian(node.AsSpan(2), (ushort)node.Length);
        data.CopyTo(node, 4);
        return node;
    }
}
