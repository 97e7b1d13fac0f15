using System.Collections.Concurrent;
using System.Security.Cryptography;
using Bootstrap.Board;
using Bootstrap.Installer;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Slots;

/// <content>Writing and reading back.</content>
internal sealed partial class SlotUpdate
{
    /// <summary>Chunks in flight: the node has other things to do as well.</summary>
    private const int ChunksInFlight = 2;

    /// <summary>A FAT's boot sectors or an ext4's superblock: without these bytes a partition holds no file system. They are written
    /// last.</summary>
    private const int HeadBytes = 4096;

    private readonly DeviceThreads _deviceThreads = new("slot");
    private readonly Dictionary<TargetPartition, IBlockDevice> _devices = [];
    private readonly Dictionary<TargetPartition, AlignedBuffer> _heads = [];

    /// <summary>Of chunks that only partly belong to the slot: the digest of that part.</summary>
    private readonly ConcurrentDictionary<int, Digest> _parts = [];

    private SlotPool? _pool;

    /// <param name="Offset">In the partition.</param>
    /// <param name="From">In the chunk's payload.</param>
    private readonly record struct Piece(TargetPartition Partition, long Offset, int From, int Length, bool IsHead);

    private ImageChunk[] Chunks => [.. Manifest.Chunks.Where(chunk => PiecesOf(chunk).Any())];

    private static int LengthOf(IEnumerable<Piece> pieces) => pieces.Sum(piece => piece.Length);

    private Task InvalidateAsync(CancellationToken cancellation) => _deviceThreads.RunAsync(() =>
    {
        foreach (TargetPartition partition in new[] { Chosen.Boot, Chosen.Root })
        {
            _devices[partition] = machine.Open(partition.Partition);
            _heads[partition] = new AlignedBuffer(HeadBytes);
            _heads[partition].Span.Clear();
        }
        _disk = DiskState.Installed;
        foreach ((TargetPartition partition, IBlockDevice device) in _devices)
        {
            device.Write(0, _heads[partition].Span);
            device.Flush();
        }
    });

    private async Task WriteAsync(CancellationToken cancellation)
    {
        ImageChunk[] chunks = Chunks;
        long skipped = 0, total = chunks.Sum(chunk => (long)LengthOf(PiecesOf(chunk)));
        _progress.Begin(TaskPhase.Writing, total);
        await Parallel.ForEachAsync(chunks, Parallelism(cancellation), async (chunk, stop) =>
        {
            Piece[] pieces = [.. PiecesOf(chunk)];
            using SlotPool.Lease lease = _pool!.Take();
            // The head was just made zero: a chunk that has one differs in any case.
            if (!pieces.Any(piece => piece.IsHead) && LengthOf(pieces) == chunk.Length &&
                await IsOnDiskAsync(chunk, pieces, lease.Payload, stop).ConfigureAwait(false))
            {
                Interlocked.Add(ref skipped, chunk.Length);
            }
            else
            {
                await _files.FetchChunkAsync(chunk, lease, stop).ConfigureAwait(false);
                _parts[chunk.Index] = DigestOf(pieces, lease.Payload);
                await _deviceThreads.RunAsync(() => WritePieces(pieces, lease.Payload)).ConfigureAwait(false);
            }
            _progress.Add(LengthOf(pieces));
        }).ConfigureAwait(false);
        await _deviceThreads.RunAsync(Flush).ConfigureAwait(false);
        if (skipped > 0)
        {
            log($"{skipped} of {total} bytes were there already");
        }
    }

    /// <summary>Reads everything once more, and then makes file systems of what was written.</summary>
    private async Task VerifyAsync(CancellationToken cancellation)
    {
        ImageChunk[] chunks = Chunks;
        _progress.Begin(TaskPhase.Verifying, chunks.Sum(chunk => (long)LengthOf(PiecesOf(chunk))));
        await Parallel.ForEachAsync(chunks, Parallelism(cancellation), async (chunk, stop) =>
        {
            Piece[] pieces = [.. PiecesOf(chunk)];
            using SlotPool.Lease lease = _pool!.Take();
            if (!await IsOnDiskAsync(chunk, pieces, lease.Payload, stop).ConfigureAwait(false))
            {
                throw new InstallException(
                    $"reading back chunk {chunk.Index} (at {pieces[0].Offset} of {pieces[0].Partition.Partition.Device}): the disk " +
                    $"does not give back what was written to it");
            }
            _progress.Add(LengthOf(pieces));
        }).ConfigureAwait(false);
        await _deviceThreads.RunAsync(WriteHeads).ConfigureAwait(false);
    }

    private static ParallelOptions Parallelism(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = ChunksInFlight, CancellationToken = cancellation };

    /// <summary>Where the parts of a chunk go that belong to the image's first slot.</summary>
    private IEnumerable<Piece> PiecesOf(ImageChunk chunk)
    {
        long start = (long)chunk.Index * Manifest.ChunkSize;
        foreach ((int offset, int from, int length) in chunk.Pieces())
        {
            foreach (TargetPartition partition in new[] { Chosen.Boot, Chosen.Root })
            {
                long first = partition.Image.Start;
                foreach ((long begin, long end, bool isHead) in new[] { (first, first + HeadBytes, true),
                    (first + HeadBytes, first + partition.Image.Length, false) })
                {
                    long at = Math.Max(start + offset, begin), count = Math.Min(start + offset + length, end) - at;
                    if (count > 0)
                    {
                        yield return new Piece(partition, at - first, from + (int)(at - start - offset), (int)count, isHead);
                    }
                }
            }
        }
    }

    private void WritePieces(Piece[] pieces, AlignedBuffer payload)
    {
        foreach (Piece piece in pieces)
        {
            Span<byte> bytes = payload.Span.Slice(piece.From, piece.Length);
            if (piece.IsHead)
            {
                bytes.CopyTo(_heads[piece.Partition].Span[(int)piece.Offset..]);
            }
            else
            {
                _devices[piece.Partition].Write(piece.Offset, bytes);
            }
        }
    }

    private async Task<bool> IsOnDiskAsync(ImageChunk chunk, Piece[] pieces, AlignedBuffer payload, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        await _deviceThreads.RunAsync(() =>
        {
            foreach (Piece piece in pieces)
            {
                Span<byte> bytes = payload.Span.Slice(piece.From, piece.Length);
                if (piece.IsHead)
                {
                    _heads[piece.Partition].Span.Slice((int)piece.Offset, piece.Length).CopyTo(bytes);
                }
                else
                {
                    _devices[piece.Partition].Read(piece.Offset, bytes);
                }
            }
        }).ConfigureAwait(false);
        return LengthOf(pieces) == chunk.Length
            ? Digest.Of(payload.Span[..chunk.Length]) == chunk.Digest
            : DigestOf(pieces, payload) == _parts[chunk.Index];
    }

    private static Digest DigestOf(Piece[] pieces, AlignedBuffer payload)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Piece piece in pieces)
        {
            hash.AppendData(payload.Span.Slice(piece.From, piece.Length));
        }
        return Digest.Finish(hash);
    }

    private void WriteHeads()
    {
        using var written = new AlignedBuffer(HeadBytes);
        foreach ((TargetPartition partition, IBlockDevice device) in _devices)
        {
            device.Write(0, _heads[partition].Span);
            device.Flush();
            device.Read(0, written.Span);
            if (!written.Span.SequenceEqual(_heads[partition].Span))
            {
                throw new InstallException($"reading back the head of {device.Name}: the disk does not give back what was written to it");
            }
        }
    }

    private void Flush()
    {
        foreach (IBlockDevice device in _devices.Values)
        {
            device.Flush();
        }
    }

    /// <summary>Nobody can mount what is open here.</summary>
    private void CloseDevices()
    {
        foreach (IBlockDevice device in _devices.Values)
        {
            device.Dispose();
        }
        foreach (AlignedBuffer head in _heads.Values)
        {
            head.Dispose();
        }
        _devices.Clear();
        _heads.Clear();
    }
}
