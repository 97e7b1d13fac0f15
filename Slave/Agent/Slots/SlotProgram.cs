using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Slots;

/// <summary>
/// <c>bootstrap-slave --slots</c> and its like: what is done with the disk's slots. The Slave's own service may neither mount nor write
/// devices: its program does that as a command, which is free of what confines the service, and tells it how far it is by lines.
/// </summary>
internal static class SlotProgram
{
    /// <summary>First words of the command line.</summary>
    public const string Show = "--slots", Update = "--update-slot", Try = "--try-slot", Commit = "--commit-slot", Finish = "--finish-slot";

    /// <summary>First words of lines that are for the Slave and not for the log: a phase with what is done of how much, the end of an
    /// update, a piece of its cause.</summary>
    public const string PhaseLine = "@phase ", EndLine = "@end ", CauseLine = "@cause ", StatusLine = "@status ";

    /// <summary>Lines of commands are cut at some length; a cause is not to be.</summary>
    private const int CausePiece = 300;

    /// <summary>Does what the words say; null where they say something else.</summary>
    /// <param name="words">
    /// The command line: what is to be done and, of an update, the folder of <see cref="NodeFiles"/>, the file of its
    /// <see cref="StartTask"/>, where the appliance was reached, and its plain HTTP port.
    /// </param>
    /// <returns>The exit code.</returns>
    public static async Task<int?> RunAsync(string[] words, TimeProvider clock)
    {
        if (words is not ([Show] or [Try] or [Commit] or [Finish] or [Update, _, _, _, _]))
        {
            return null;
        }
        var machine = new SlotMachine();
        try
        {
            machine.Clear();
            SlotLayout? layout = new SlotReader("/", machine).Find();
            if (words[0] == Show)
            {
                Console.WriteLine(layout is null ? "this disk has one slot"
                    : StatusLine + JsonSerializer.Serialize(layout.Status, AgentJson.Default.SlotStatus));
                return 0;
            }
            if (layout is null)
            {
                return Fail("this disk has no two slots of which the firmware could start the other one once", DiskState.Untouched);
            }
            ISlotSwitch firmware = layout.Choice == SlotChoice.Autoboot
                ? new AutobootSwitch(layout, machine)
                : new EfiSwitch(layout, new EfiVariables(EfiVariables.Folder), EfiSwitch.ProgramFor(BoardReader.Architecture));
            if (words[0] == Try)
            {
                firmware.Prepare();
                return 0;
            }
            if (words[0] is Commit or Finish)
            {
                // It takes a moment, and is not broken off in the middle by the Slave's end or the machine's.
                using PosixSignalRegistration whole = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
                (words[0] == Commit ? (Action<string, SlotLayout, ISlotMachine, ISlotSwitch>)CommitSlot : FinishCommit)(
                    "/", layout, machine, firmware);
                return 0;
            }
            return await UpdateAsync(words[1..], layout, machine, firmware, clock).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(e.Message, DiskState.Untouched);
        }
    }

    /// <summary>
    /// Makes the running slot the one that always starts. What has to be written is opened first, and then the firmware is told: a power
    /// cut before the marks are gone leaves what <see cref="FinishCommit"/> ends.
    /// </summary>
    /// <param name="root">"/" but in tests.</param>
    /// <exception cref="IOException">It could not be; where the firmware was not told yet, every start is what it was.</exception>
    internal static void CommitSlot(string root, SlotLayout layout, ISlotMachine machine, ISlotSwitch firmware)
    {
        using IMounted boot = machine.Mount(layout.Find(layout.Running.Boot)!, "vfat", readOnly: false);
        SlotTrial.Check(root, boot.Path);
        firmware.Commit();
        SlotTrial.End(root, boot.Path);
    }

    /// <summary>Ends a trial of which the firmware was told already that it ended well: nothing could take the machine back any more, and
    /// the marks would restart it for ever.</summary>
    /// <param name="root">"/" but in tests.</param>
    internal static void FinishCommit(string root, SlotLayout layout, ISlotMachine machine, ISlotSwitch firmware)
    {
        if (firmware.IsCommitted)
        {
            CommitSlot(root, layout, machine, firmware);
        }
    }

    private static async Task<int> UpdateAsync(
        string[] words, SlotLayout layout, SlotMachine machine, ISlotSwitch firmware, TimeProvider clock)
    {
        (string config, string file, string appliance, string files) = (words[0], words[1], words[2], words[3]);
        var start = (StartTask)JsonSerializer.Deserialize(
            await File.ReadAllBytesAsync(file).ConfigureAwait(false), ProtocolJson.Default.LinkMessage)!;
        // It holds what is nobody else's business.
        File.Delete(file);
        if (SlotTrial.IsOn(config))
        {
            return Fail("this system is itself on trial: the slot that it would write is the one that the node goes back to",
                DiskState.Untouched);
        }
        NodeConfig node = NodeConfig.Load(config);
        using IdentityKeeper identity = IdentityKeeper.Open(config, node.Authority, Log, clock);
        var trust = new InstallTrust(node.Authority, identity.Current.Pem, ApplianceEndpoint.TryParse(
            appliance, out ApplianceEndpoint place) ? place : throw new IOException($"'{appliance}' is no place of an appliance"));
        var order = (UpdateSlotOrder)start.Order;
        using StoreClient store = order.IsPublic
            ? new(new Uri(files), Log, clock)
            : new(place.Url("https", "/"), Log, clock,
            new ApplianceTls(node.Authority).CreateHandler(identity.Current, reason => Log($"{place} is not our appliance: {reason}")));
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            stop.Cancel();
        });
        using var update = new SlotUpdate(start.TaskId, order, store, trust, BoardReader.Architecture, layout, machine, firmware,
            progress => Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{PhaseLine}{progress.Phase} {progress.Done} {progress.Total}")), Log, clock);
        InstallResult result = await update.RunAsync(stop.Token).ConfigureAwait(false);
        return result.Succeeded ? 0 : Fail(result.Cause, result.Disk, result.Final);
    }

    /// <summary>A line of the log as it is written: without control characters, and never one that begins as a line for the Slave does.
    /// Files may have any name.</summary>
    internal static string OneLine(string text)
    {
        string line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
        return line.StartsWith('@') ? ' ' + line : line;
    }

    private static void Log(string text) => Console.WriteLine(OneLine(text));

    private static int Fail(string cause, DiskState disk, bool final = false)
    {
        foreach (char[] piece in OneLine(cause).Chunk(CausePiece))
        {
            Console.WriteLine(CauseLine + new string(piece));
        }
        Console.WriteLine($"{EndLine}{disk} {final}");
        return 1;
    }
}
