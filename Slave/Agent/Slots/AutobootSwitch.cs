using System.Text;
using Bootstrap.Installer;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Agent.Slots;

/// <summary>How the firmware of a board is made to start another slot: once, and for good.</summary>
internal interface ISlotSwitch
{
    /// <summary>Looks whether the other slot could be tried, before anything is written.</summary>
    /// <exception cref="IOException">It could not; the message says why.</exception>
    void Check();

    /// <summary>Makes the next start the other slot's, as far as that is not said with the restart itself.</summary>
    void Prepare();

    /// <summary>Every ordinary start is the running slot's already.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    bool IsCommitted { get; }

    /// <summary>Makes every start the running slot's.</summary>
    /// <exception cref="IOException">It could not be made so; every start is what it was.</exception>
    void Commit();
}

/// <summary>A Raspberry Pi's way: autoboot.txt names both slots, and a restart with the tryboot flag takes the other one.</summary>
internal sealed class AutobootSwitch(SlotLayout layout, ISlotMachine machine) : ISlotSwitch
{
    private SlotPartition Chooser => layout.Find(layout.Chooser)!;

    private Autoboot Wanted => new(layout.Running.Boot, layout.OtherBoot);

    public bool IsCommitted
    {
        get
        {
            using IMounted mounted = machine.Mount(Chooser, "vfat", readOnly: true);
            return Autoboot.Parse(File.ReadAllText(FileIn(mounted))) == Wanted;
        }
    }

    public void Check()
    {
        if (!IsCommitted)
        {
            throw new IOException(
                $"{Autoboot.FileName} on {Chooser.Device} starts partition {layout.OtherBoot}, and partition {layout.Running.Boot} " +
                $"runs: restart the node first");
        }
    }

    public void Prepare()
    {
        // The restart itself carries the flag.
    }

    public void Commit()
    {
        if (IsCommitted)
        {
            return;
        }
        using (IMounted mounted = machine.Mount(Chooser, "vfat", readOnly: false))
        {
            string file = FileIn(mounted), text = File.ReadAllText(file, Encoding.Latin1), changed = Wanted.Into(text);
            byte[] content = Encoding.Latin1.GetBytes(changed);
            if (changed.Length == text.Length)
            {
                SlotFiles.InPlace(file, content);
            }
            else
            {
                DurableFile.Replace(file, content);
            }
        }
        Check();
    }

    private static string FileIn(IMounted mounted) => Path.Combine(mounted.Path, Autoboot.FileName);
}
