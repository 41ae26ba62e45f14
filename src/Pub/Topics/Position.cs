namespace Pub;

/// <summary>One message's place in its shard: its entry's offset and its index in the entry. Ordered. The end of entry 7 is (8, 0).</summary>
public readonly record struct Position(Offset Offset, int Index) : IComparable<Position>
{
    /// <summary>The first message that a shard can have.</summary>
    public static Position Beginning => new(Offset.First, 0);

    /// <summary>The first message of an entry.</summary>
    public static Position StartOf(Offset offset) => new(offset, 0);

    /// <summary>Just behind the last message of an entry.</summary>
    public static Position EndOf(Offset offset) => new(offset.Next, 0);

    /// <inheritdoc/>
    public int CompareTo(Position other)
    {
        var byOffset = Offset.CompareTo(other.Offset);
        return byOffset != 0 ? byOffset : Index.CompareTo(other.Index);
    }

    /// <summary>The later of two positions.</summary>
    public static Position Max(Position left, Position right) => left < right ? right : left;

    /// <summary>The earlier of two positions.</summary>
    public static Position Min(Position left, Position right) => right < left ? right : left;

    /// <summary>Whether one position is before another.</summary>
    public static bool operator <(Position left, Position right) => left.CompareTo(right) < 0;

    /// <summary>Whether one position is behind another.</summary>
    public static bool operator >(Position left, Position right) => left.CompareTo(right) > 0;

    /// <summary>Whether one position is before or equal to another.</summary>
    public static bool operator <=(Position left, Position right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one position is behind or equal to another.</summary>
    public static bool operator >=(Position left, Position right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Offset}.{Index}";
}

/// <summary>A half-open range of positions: from <paramref name="From"/> up to, not including, <paramref name="To"/>.</summary>
internal readonly record struct PositionRange(Position From, Position To)
{
    public bool IsEmpty => From >= To;
}
