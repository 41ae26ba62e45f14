namespace Pub.Scheduling;

/// <summary>The order in which a log's messages are moved: by due time, then by place.</summary>
internal readonly record struct DueKey(long Due, long Offset, int Index) : IComparable<DueKey>
{
    /// <summary>Before all messages.</summary>
    public static DueKey None => new(long.MinValue, 0, 0);

    public int CompareTo(DueKey other)
    {
        var byDue = Due.CompareTo(other.Due);
        var byOffset = byDue != 0 ? byDue : Offset.CompareTo(other.Offset);
        return byOffset != 0 ? byOffset : Index.CompareTo(other.Index);
    }

    public static bool operator <=(DueKey left, DueKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(DueKey left, DueKey right) => left.CompareTo(right) >= 0;

    public static bool operator >(DueKey left, DueKey right) => left.CompareTo(right) > 0;

    public static bool operator <(DueKey left, DueKey right) => left.CompareTo(right) < 0;
}

/// <summary>
/// What of one shard of a bucket's log is moved, in a few numbers (docs/decisions/0009-scheduling.md): every message at or below <paramref name="Through"/>,
/// outside the holes, that is not above <paramref name="Moved"/> in the order of <see cref="DueKey"/>. Of the rest nothing is known: it is moved.
/// </summary>
/// <param name="Through">Offset up to which all slots were looked at.</param>
/// <param name="Moved">The largest key that was moved.</param>
/// <param name="Holes">Slots up to <paramref name="Through"/> that were empty; ascending.</param>
internal sealed record BucketProgress(long Through, DueKey Moved, IReadOnlyList<long> Holes)
{
    public static BucketProgress Nothing { get; } = new(0, DueKey.None, []);

    public bool IsMoved(DueKey key) => key.Offset <= Through && key <= Moved && !Holes.Contains(key.Offset);

    /// <summary>
    /// The progress after a batch. What was looked at counts only while nothing that is left belongs before what was moved: a late message, appended
    /// after others that are due later, is moved first.
    /// </summary>
    /// <param name="moved">The largest key moved so far.</param>
    /// <param name="next">The smallest key not moved, if there is one.</param>
    /// <param name="readThrough">Offset up to which all slots have been looked at now.</param>
    /// <param name="openHoles">Those of them that are empty still; ascending.</param>
    public BucketProgress After(DueKey moved, DueKey? next, long readThrough, IEnumerable<long> openHoles)
    {
        return IsInOrder(moved, next) ? new(readThrough, Larger(Moved, moved), [.. openHoles]) : this;
    }

    /// <summary>Whether nothing that is left belongs before what was moved.</summary>
    public static bool IsInOrder(DueKey moved, DueKey? next) => next is not { } smallest || smallest > moved;

    private static DueKey Larger(DueKey left, DueKey right) => left > right ? left : right;
}
