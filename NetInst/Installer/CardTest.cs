using System.Globalization;
using System.Runtime.InteropServices;
using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <summary>
/// Writes all of a card, then reads all of it back: a card that is smaller than it claims, or that loses what it is given, does not get a
/// system. As f3write and f3read do it with files (https://fight-flash-fraud.readthedocs.io), each place holds its own number, so that what
/// comes back from another place tells how large the card is.
/// </summary>
/// <param name="device">The card; what it held is gone.</param>
/// <param name="threads">Its own.</param>
/// <param name="start">The first byte that is tested, a multiple of <see cref="PageBytes"/>: what stands before it stays.</param>
/// <param name="clock">Times it, for the log.</param>
public sealed class CardTest(IBlockDevice device, DeviceThreads threads, long start, TimeProvider clock)
{
    /// <summary>What has a number of its own. The rest of a card that is no multiple of it is not tested.</summary>
    public const int PageBytes = 4096;

    private const int BlockBytes = 4 << 20;

    /// <summary>So that the card has its next request at hand when it ends one.</summary>
    private const int BlocksInFlight = 2;

    /// <summary>Another one each time: what an earlier test has left is none of this one's.</summary>
    private readonly ulong _seed = (ulong)Random.Shared.NextInt64();

    private readonly Lock _lock = new();

    /// <summary>How far behind its place the first pages stand that came back from another one, and those after them.</summary>
    private long? _shift, _secondShift;
    private long _shiftedAt;

    private long End => device.Size / PageBytes * PageBytes;

    /// <summary>Bytes that are written, and as many that are read.</summary>
    public long Bytes => Math.Max(0, End - start);

    /// <summary>Runs the test.</summary>
    /// <param name="done">Told of each piece that was written or read, in bytes.</param>
    /// <returns>One line for the log: how fast the card was.</returns>
    /// <exception cref="InstallException">The card is not to be trusted; the message says why.</exception>
    /// <exception cref="IOException">The card failed.</exception>
    public async Task<string> RunAsync(Action<long> done, CancellationToken cancellation)
    {
        double written = await EachBlockAsync((at, block) =>
        {
            Fill(at, block);
            device.Write(at, block);
        }, done, cancellation).ConfigureAwait(false);
        await threads.RunAsync(device.Flush).ConfigureAwait(false);
        double read = await EachBlockAsync((at, block) =>
        {
            device.Read(at, block);
            Check(at, block);
        }, done, cancellation).ConfigureAwait(false);
        lock (_lock)
        {
            if (_shift is { } shift)
            {
                // A card that takes the place modulo its size has there what was written to the last such place; further on, one size less.
                throw NotAsLarge(Math.Abs(shift - (_secondShift ?? 0)));
            }
        }
        return string.Create(CultureInfo.InvariantCulture,
            $"{device.Name} gives back what is written to it: {SizeWords(Bytes)} were written at {Bytes / written / 1e6:0} MB/s and read " +
            $"at {Bytes / read / 1e6:0} MB/s");
    }

    private InstallException NotAsLarge(long size) => new(
        $"{device.Name} has {SizeWords(size)} and not the {SizeWords(device.Size)} that it claims: from {_shiftedAt} comes back what was " +
        $"written to {_shiftedAt + _shift}. Replace the card.", final: true);

    private static string SizeWords(long bytes) => bytes < 1e9
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB");

    /// <returns>Seconds.</returns>
    private async Task<double> EachBlockAsync(BlockAction action, Action<long> done, CancellationToken cancellation)
    {
        long begun = clock.GetTimestamp();
        var options = new ParallelOptions { MaxDegreeOfParallelism = BlocksInFlight, CancellationToken = cancellation };
        await Parallel.ForEachAsync(Places(), options, async (at, _) =>
        {
            int length = (int)Math.Min(BlockBytes, End - at);
            await threads.RunAsync(() =>
            {
                using var block = new AlignedBuffer(length);
                action(at, block.Span);
            }).ConfigureAwait(false);
            done(length);
        }).ConfigureAwait(false);
        return Math.Max(clock.GetElapsedTime(begun).TotalSeconds, 1e-3);
    }

    private delegate void BlockAction(long at, Span<byte> block);

    private IEnumerable<long> Places()
    {
        for (long at = start; at < End; at += BlockBytes)
        {
            yield return at;
        }
    }

    private void Fill(long at, Span<byte> block)
    {
        for (int page = 0; page < block.Length; page += PageBytes)
        {
            FillPage(at + page, MemoryMarshal.Cast<byte, ulong>(block.Slice(page, PageBytes)));
        }
    }

    /// <summary>The place, and then what follows from it and the seed: nothing that a card could compress or guess.</summary>
    private void FillPage(long place, Span<ulong> page)
    {
        page[0] = _seed;
        page[1] = (ulong)place;
        ulong state = _seed ^ (ulong)place;
        for (int i = 2; i < page.Length; i++)
        {
            // SplitMix64 (Steele, Lea, Flood 2014).
            state += 0x9e3779b97f4a7c15;
            ulong mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
            page[i] = mixed ^ (mixed >> 31);
        }
    }

    private void Check(long at, Span<byte> block)
    {
        Span<ulong> expected = stackalloc ulong[PageBytes / sizeof(ulong)];
        for (int page = 0; page < block.Length; page += PageBytes)
        {
            Span<ulong> found = MemoryMarshal.Cast<byte, ulong>(block.Slice(page, PageBytes));
            long place = at + page, from = found[0] == _seed ? (long)found[1] : -1;
            FillPage(from >= start && from < End ? from : place, expected);
            if (!found.SequenceEqual(expected))
            {
                throw new InstallException(
                    $"{device.Name} does not give back what was written to it, at {place} of {device.Size} bytes. Replace the card.",
                    final: true);
            }
            Note(place, from - place);
        }
    }

    private void Note(long place, long shift)
    {
        lock (_lock)
        {
            if (_shift is null && shift != 0)
            {
                (_shift, _shiftedAt) = (shift, place);
            }
            else if (_shift is not null && _secondShift is null && shift != _shift)
            {
                _secondShift = shift;
            }
            else
            {
                return;
            }
        }
    }
}
