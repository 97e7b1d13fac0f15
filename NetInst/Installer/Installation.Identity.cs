using Bootstrap.Board;

namespace Bootstrap.Installer;

/// <content>
/// The node's key while the disk holds no system: at every moment it is in the old system, in a record (<see cref="IdentityRecord"/>) or in
/// the new system.
/// </content>
public sealed partial class Installation
{
    /// <summary>Where the record stands; null: there is no room for one before the first partition.</summary>
    private int? _record;

    /// <summary>
    /// Has the record on the medium. What is there of another identity stays meanwhile: the power may go while this one is written.
    /// </summary>
    private void RecordIdentity()
    {
        if (IdentityRecord.Read(IdentityRecord.Of(trust.IdentityPem)) is null)
        {
            return; // none, or too long a one
        }
        IReadOnlyList<(int Place, string Pem)> there = RecordsOnDisk();
        foreach ((int place, string pem) in there)
        {
            if (pem == trust.IdentityPem)
            {
                _record = place;
                return;
            }
        }
        MoveRecord(place => there.All(other => other.Place != place));
    }

    /// <summary>
    /// Where the image's own head has something in the record's place, writes another record where it has nothing. An image that leaves
    /// none of the places free overwrites the record a moment before its system can be found.
    /// </summary>
    private void MakeWayForHead(ReadOnlySpan<byte> head)
    {
        byte[] own = new byte[Math.Min(HeadEnd, IdentityRecord.End)];
        foreach ((int offset, int from, int length) in HeadRanges.Where(r => r.Offset < own.Length))
        {
            head.Slice(from, Math.Min(length, own.Length - offset)).CopyTo(own.AsSpan(offset));
        }
        bool IsFree(int place) => !own.AsSpan(place, IdentityRecord.Bytes).ContainsAnyExcept((byte)0);
        if (_record is { } record && !IsFree(record))
        {
            _record = null;
            MoveRecord(IsFree);
            Clear(record); // the image may not cover all of it
        }
    }

    /// <summary>Removes every record: the new system has the key, and can be found.</summary>
    private void ClearRecords()
    {
        foreach (int place in RecordsOnDisk().Select(record => record.Place).Concat(_record is { } own ? [own] : []).Distinct())
        {
            Clear(place);
        }
        Device.Flush();
    }

    private void Clear(int place)
    {
        using var zeros = new AlignedBuffer(IdentityRecord.Bytes);
        zeros.Span.Clear();
        Device.Write(place, zeros.Span);
    }

    private void MoveRecord(Func<int, bool> isFree)
    {
        foreach (int place in IdentityRecord.Places(HeadEnd).Where(isFree).Take(1))
        {
            using var buffer = new AlignedBuffer(IdentityRecord.Bytes);
            IdentityRecord.Of(trust.IdentityPem).CopyTo(buffer.Span);
            Device.Write(place, buffer.Span);
            Device.Flush();
            _record = place;
        }
    }

    private IReadOnlyList<(int Place, string Pem)> RecordsOnDisk()
    {
        using var head = new AlignedBuffer(Math.Min(HeadEnd, IdentityRecord.End));
        Device.Read(0, head.Span);
        return IdentityRecord.FindIn(head.Span);
    }
}
