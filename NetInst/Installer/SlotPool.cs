using System.Collections.Concurrent;
using Bootstrap.Board;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Installer;

/// <summary>Buffers for as many chunks as are in flight, made once: what an installation needs of RAM is known beforehand.</summary>
public sealed class SlotPool : IDisposable
{
    private readonly ConcurrentBag<Lease> _free = [];
    private readonly List<Lease> _all = [];

    public SlotPool(ImageManifest manifest, int count)
    {
        int stored = manifest.Chunks.Max(c => c.StoredLength), payload = manifest.Chunks.Max(c => c.Length);
        for (int i = 0; i < count; i++)
        {
            _all.Add(new Lease(this, stored, payload));
            _free.Add(_all[i]);
        }
    }

    /// <summary>There is one for each chunk in flight.</summary>
    public Lease Take() =>
        _free.TryTake(out Lease? lease) ? lease : throw new InvalidOperationException("more chunks in flight than buffers");

    public void Dispose() => _all.ForEach(lease => lease.Free());

    /// <summary>The buffers of one chunk; disposing gives them back to the pool.</summary>
    public sealed class Lease(SlotPool pool, int stored, int payload) : IDisposable
    {
        /// <summary>The chunk as it travels.</summary>
        public byte[] Stored { get; } = new byte[stored];

        /// <summary>The chunk as it goes to the disk.</summary>
        public AlignedBuffer Payload { get; } = new(payload);

        public ZstdSharp.Decompressor Decoder { get; } = new();

        public void Dispose() => pool._free.Add(this);

        internal void Free()
        {
            Payload.Dispose();
            Decoder.Dispose();
        }
    }
}
