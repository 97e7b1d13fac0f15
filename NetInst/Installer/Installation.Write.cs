using Bootstrap.Board;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>Writing and reading back.</summary>
public sealed partial class Installation
{
    /// <summary>The MBR and the first header of a GPT stand in these bytes.</summary>
    private const int InvalidatedBytes = 4096;

    private readonly DeviceThreads _deviceThreads = new("disk");

    private SlotPool? _slots;

    /// <summary>What of chunk 0 lies before the first partition, as the image has it; held back until the end.</summary>
    private AlignedBuffer? _head;

    /// <summary>Bytes of the disk that are written last: those before the first partition, as far as they are in chunk 0.</summary>
    private int HeadEnd => (int)Math.Min(Manifest.Partitions.Min(p => p.Start), Manifest.ChunkSize);

    private Task InvalidateAsync(CancellationToken cancellation) => _deviceThreads.RunAsync(() =>
    {
        using var zeros = new AlignedBuffer(InvalidatedBytes);
        zeros.Span.Clear();
        _disk = DiskState.Unbootable;
        // First: the board that starts again after a power cut must still be this node.
        RecordIdentity();
        Device.Write(0, zeros.Span);
        Device.Flush();
    });

    /// <summary>All but where the node's identity stands, which must survive a power cut at any moment.</summary>
    private async Task TestCardAsync(CancellationToken cancellation)
    {
        var test = new CardTest(Device, _deviceThreads, IdentityRecord.End, clock);
        _progress.Begin(TaskPhase.Testing, 2 * test.Bytes);
        try
        {
            log(await test.RunAsync(_progress.Add, cancellation).ConfigureAwait(false));
        }
        catch (IOException e)
        {
            throw new InstallException($"{e.Message}. Replace the card.", inner: e, final: true);
        }
        await _deviceThreads.RunAsync(() => Device.Discard(IdentityRecord.End, test.Bytes)).ConfigureAwait(false);
    }

    private async Task WriteImageAsync(CancellationToken cancellation)
    {
        _progress.Begin(TaskPhase.Writing, Manifest.UsedBytes);
        long skipped = 0;
        _slots = new SlotPool(Manifest, ChunksInFlight);
        await Parallel.ForEachAsync(Manifest.Chunks, Parallelism(cancellation), async (chunk, stop) =>
        {
            using SlotPool.Lease slot = _slots.Take();
            if (order.Compare && !order.TestCard && chunk.Index != 0 &&
                await IsOnDiskAsync(chunk, slot.Payload, stop).ConfigureAwait(false))
            {
                Interlocked.Add(ref skipped, chunk.Length);
            }
            else
            {
                await _files.FetchChunkAsync(chunk, slot, stop).ConfigureAwait(false);
                await _deviceThreads.RunAsync(() => WriteRanges(chunk, slot.Payload)).ConfigureAwait(false);
            }
            _progress.Add(chunk.Length);
        }).ConfigureAwait(false);
        await _deviceThreads.RunAsync(Device.Flush).ConfigureAwait(false);
        if (skipped > 0)
        {
            log($"{skipped} of {Manifest.UsedBytes} bytes were on the disk already");
        }
    }

    /// <summary>
    /// Reads everything once more, after all of it was written: a card that lies about its size has by now overwritten what it
    /// took first.
    /// </summary>
    private async Task VerifyAsync(CancellationToken cancellation)
    {
        _progress.Begin(TaskPhase.Verifying, Manifest.UsedBytes);
        await Parallel.ForEachAsync(Manifest.Chunks, Parallelism(cancellation), async (chunk, stop) =>
        {
            using SlotPool.Lease slot = _slots!.Take();
            if (!await IsOnDiskAsync(chunk, slot.Payload, stop).ConfigureAwait(false))
            {
                throw new InstallException(
                    $"reading back chunk {chunk.Index} (at {(long)chunk.Index * Manifest.ChunkSize} of {Device.Name}): the disk does " +
                    $"not give back what was written to it");
            }
            _progress.Add(chunk.Length);
        }).ConfigureAwait(false);
    }

    private static ParallelOptions Parallelism(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = ChunksInFlight, CancellationToken = cancellation };

    private void WriteRanges(ImageChunk chunk, AlignedBuffer payload)
    {
        if (chunk.Index == 0)
        {
            KeepHead(chunk, payload);
        }
        foreach ((long offset, int from, int length) in OnDiskRanges(chunk))
        {
            Device.Write(offset, payload.Span.Slice(from, length));
        }
    }

    private void KeepHead(ImageChunk chunk, AlignedBuffer payload)
    {
        _head = new AlignedBuffer(chunk.Length);
        payload.Span[..chunk.Length].CopyTo(_head.Span);
    }

    private async Task<bool> IsOnDiskAsync(ImageChunk chunk, AlignedBuffer payload, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        await _deviceThreads.RunAsync(() =>
        {
            if (chunk.Index == 0)
            {
                _head!.Span.CopyTo(payload.Span);
            }
            foreach ((long offset, int from, int length) in OnDiskRanges(chunk))
            {
                Device.Read(offset, payload.Span.Slice(from, length));
            }
        }).ConfigureAwait(false);
        return Digest.Of(payload.Span[..chunk.Length]) == chunk.Digest;
    }

    /// <summary>Where the pieces of a chunk's payload go, but for the head's.</summary>
    private IEnumerable<(long Offset, int From, int Length)> OnDiskRanges(ImageChunk chunk) =>
        chunk.Pieces().Select(r => Cut(r, chunk.Index == 0 ? HeadEnd : 0, int.MaxValue)).Where(r => r.Length > 0)
            .Select(r => ((long)chunk.Index * Manifest.ChunkSize + r.Offset, r.From, r.Length));

    /// <summary>The head's pieces, sector 0 first.</summary>
    private IEnumerable<(int Offset, int From, int Length)> HeadRanges =>
        Manifest.Chunks[0].Pieces().Select(r => Cut(r, 0, HeadEnd)).Where(r => r.Length > 0);

    /// <summary>What of a piece of the head lies behind sector 0 and beside the record, in whose place the image has nothing.</summary>
    private IEnumerable<(int Offset, int From, int Length)> AroundRecord((int Offset, int From, int Length) range)
    {
        (int start, int end) = _record is { } record ? (record, record + IdentityRecord.Bytes) : (Mbr.SectorBytes, Mbr.SectorBytes);
        return new[] { Cut(range, Mbr.SectorBytes, start), Cut(range, end, HeadEnd) }.Where(r => r.Length > 0);
    }

    /// <summary>The part of a range that lies from <paramref name="start"/> up to <paramref name="end"/> of its cell.</summary>
    private static (int Offset, int From, int Length) Cut((int Offset, int From, int Length) range, int start, int end)
    {
        int first = Math.Max(range.Offset, start);
        int last = Math.Min(range.Offset + range.Length, end);
        return (first, range.From + first - range.Offset, last - first);
    }

    /// <summary>Puts the head on the disk: everything else first, then sector 0, by which the disk becomes bootable.</summary>
    private async Task WriteHeadAsync(CancellationToken cancellation)
    {
        AlignedBuffer head = _head!;
        byte[] backup = FitTable(head.Span);
        await _deviceThreads.RunAsync(() =>
        {
            if (backup.Length > 0)
            {
                using var end = new AlignedBuffer(backup.Length);
                backup.CopyTo(end.Span);
                Device.Write(Device.Size - backup.Length, end.Span);
            }
            MakeWayForHead(head.Span);
            foreach ((int offset, int from, int count) in HeadRanges.SelectMany(AroundRecord))
            {
                Device.Write(offset, head.Span.Slice(from, count));
            }
            Device.Flush();
            Device.Write(0, head.Span[..Mbr.SectorBytes]);
            Device.Flush();
            ClearRecords();
            foreach ((int offset, int from, int count) in HeadRanges)
            {
                ReadBack(offset, head.Span.Slice(from, count), $"the first {HeadEnd} bytes");
            }
            ReadBack(Device.Size - backup.Length, backup, $"the last {backup.Length} bytes");
        }).ConfigureAwait(false);
        _disk = DiskState.Installed;
    }

    /// <summary>Makes the image's partition table that of this disk.</summary>
    /// <returns>What a GPT has at the end of the disk; nothing for an MBR.</returns>
    private byte[] FitTable(Span<byte> head)
    {
        long? length = GrownRootLength();
        if (HasGpt)
        {
            return Gpt.Fit(head, Device.Size, Root.Number, Root.Start + length);
        }
        if (length is { } grown)
        {
            Mbr.SetLength(head, Root.Number, grown);
        }
        return [];
    }

    private void ReadBack(long offset, ReadOnlySpan<byte> expected, string what)
    {
        using var written = new AlignedBuffer(Math.Max(expected.Length, Mbr.SectorBytes));
        Device.Read(offset, written.Span[..expected.Length]);
        if (!written.Span[..expected.Length].SequenceEqual(expected))
        {
            throw new InstallException($"reading back {what} of {Device.Name}: the disk does not give back what was written to it");
        }
    }
}
