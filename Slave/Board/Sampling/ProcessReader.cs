using System.Globalization;
using System.IO.Enumeration;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>Processes that use most: proc(5), /proc/[pid]/stat.</summary>
internal sealed class ProcessReader(string root)
{
    private const int MaximumTold = 10, MaximumProcesses = 8192;

    /// <summary>Fields behind the name, counted from 0: the state is the first.</summary>
    private const int UserTime = 11, SystemTime = 12, StartTime = 19, Resident = 21;

    private readonly string _folder = Path.Combine(root, "proc");
    private Dictionary<int, Seen> _before = [], _now = [];

    /// <summary>Forgets what it has seen: nobody has asked for a while.</summary>
    public void Forget()
    {
        _before = [];
        _now = [];
    }

    /// <summary>Reads all and tells of the first.</summary>
    /// <param name="elapsed">Seconds since they were read before; 0: never, or long ago. Then nobody knows who is busy.</param>
    public IReadOnlyList<ProcessReading> Read(Span<byte> buffer, double elapsed)
    {
        var busiest = new PriorityQueue<(int Id, double Busy, Seen Seen), (double, long)>();
        _now.Clear();
        foreach (int id in Ids())
        {
            if (_now.Count >= MaximumProcesses || !TryRead(id, buffer, out Seen seen, out _))
            {
                continue;
            }
            _now[id] = seen;
            // The number may belong to another one since.
            if (elapsed > 0 && _before.TryGetValue(id, out Seen before) && before.Start == seen.Start && seen.Ticks >= before.Ticks)
            {
                double busy = 100 * (seen.Ticks - before.Ticks) / (double)ProcessorSource.TicksPerSecond / elapsed;
                busiest.Enqueue((id, busy, seen), (busy, seen.Memory));
                if (busiest.Count > MaximumTold)
                {
                    busiest.Dequeue();
                }
            }
        }
        (_before, _now) = (_now, _before);

        var told = new List<ProcessReading>(busiest.Count);
        while (busiest.TryDequeue(out (int Id, double Busy, Seen Seen) process, out _))
        {
            if (TryRead(process.Id, buffer, out Seen still, out string name) && still.Start == process.Seen.Start)
            {
                told.Add(new ProcessReading(process.Id, name, process.Busy, process.Seen.Memory));
            }
        }
        told.Reverse();
        return told;
    }

    private IEnumerable<int> Ids()
    {
        var ids = new List<int>();
        try
        {
            ids.AddRange(new FileSystemEnumerable<int>(_folder,
                static (ref entry) => int.TryParse(entry.FileName, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : 0)
            {
                ShouldIncludePredicate = static (ref entry) => entry.FileName[0] is >= '1' and <= '9',
            }.Where(id => id > 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What was seen until then counts.
        }
        return ids;
    }

    /// <summary><c>1234 (name) S 1 …</c>: the name may hold blanks, line ends and brackets, so it ends at the last one.</summary>
    private bool TryRead(int id, Span<byte> buffer, out Seen seen, out string name)
    {
        seen = default;
        name = "";
        using var file = new KeptFile(Path.Combine(_folder, id.ToString(CultureInfo.InvariantCulture), "stat"));
        ReadOnlySpan<byte> text = buffer[..file.Read(buffer[..Math.Min(buffer.Length, 2048)])];
        int open = text.IndexOf((byte)'('), close = text.LastIndexOf((byte)')');
        if (open < 0 || close < open)
        {
            return false;
        }
        name = Words.Shown(text[(open + 1)..close]);
        var words = new Words(text[(close + 1)..]);
        ulong user = 0, system = 0, start = 0;
        for (int field = 0; words.Next(out ReadOnlySpan<byte> word); field++)
        {
            var number = new Words(word);
            if (field is UserTime or SystemTime or StartTime or Resident)
            {
                if (!number.Next(out ulong value))
                {
                    return false;
                }
                switch (field)
                {
                    case UserTime: user = value; break;
                    case SystemTime: system = value; break;
                    case StartTime: start = value; break;
                    default:
                        long pages = (long)Math.Min(value, (ulong)(long.MaxValue / Environment.SystemPageSize));
                        seen = new Seen(start, user + system, pages * Environment.SystemPageSize);
                        return true;
                }
            }
        }
        return false;
    }

    /// <param name="Start">In ticks since boot: with its number it names a process.</param>
    /// <param name="Ticks">That it has used.</param>
    private readonly record struct Seen(ulong Start, ulong Ticks, long Memory);
}
