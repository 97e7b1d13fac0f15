using System.Diagnostics;
using System.Globalization;
using Bootstrap.Fuzz;

// Sends damaged packets to the boot services and looks whether one of them throws, hangs, or keeps memory.
//   fuzz [COUNT [SEED]]      COUNT packets for each target, 20,000 if not said; the same seed makes the same packets
// Ends with 0 and the figures, or with 1 and the packet that did it.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
long count = args.Length > 0 ? long.Parse(args[0], NumberStyles.AllowThousands) : 20_000;
int seed = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : Random.Shared.Next();
Console.WriteLine($"seed {seed}");

const long AllowedGrowth = 8 << 20;
foreach (IFuzzTarget target in (IFuzzTarget[])[new DhcpTarget(full: false), new DhcpTarget(full: true), new TftpPacketTarget(),
    new TftpServerTarget()])
{
    await using (target)
    {
        var damage = new Damage(seed);
        // What is allocated once is there after a tenth; from then on memory must stay.
        long before = 0, most = 0, done = 0;
        long started = Stopwatch.GetTimestamp();
        while (done < count)
        {
            byte[] packet = damage.Next(target.Samples);
            try
            {
                await target.TakeAsync(packet);
            }
            catch (Exception thrown)
            {
                Console.WriteLine($"{target.Name}: packet {done} {Convert.ToHexStringLower(packet)}\n{thrown}");
                return 1;
            }
            if (++done == count / 10 || done == count)
            {
                await target.SettleAsync();
                long now = GC.GetTotalMemory(forceFullCollection: true);
                (before, most) = done == count ? (before, now) : (now, now);
            }
        }
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine($"{target.Name}: {count:N0} packets in {seconds:F1} s, {target.Answers:N0} answered; managed memory " +
            $"{before / 1024:N0} KiB after a tenth, {most / 1024:N0} KiB at the end, " +
            $"{Process.GetCurrentProcess().WorkingSet64 / 1024 / 1024:N0} MiB resident");
        if (most - before > AllowedGrowth)
        {
            Console.WriteLine($"{target.Name}: memory grew by {(most - before) / 1024:N0} KiB");
            return 1;
        }
    }
}
return 0;
