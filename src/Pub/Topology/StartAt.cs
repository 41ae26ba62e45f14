namespace Pub;

/// <summary>
/// Where a new subscription begins to read a topic. It is used once, when the topic becomes part of the subscription; later starts of the same
/// subscription go on where the cursor stands. What retention has removed is skipped. A queue's own log is always read from its first entry.
/// </summary>
public readonly struct StartAt
{
    private StartAt(StartKind kind, DateTimeOffset time = default, IReadOnlyList<Position>? positions = null)
    {
        Kind = kind;
        WrittenSince = time;
        Positions = positions;
    }

    /// <summary>At the tail: what is published once the declaration has returned. The default.</summary>
    public static StartAt Tail => default;

    /// <summary>At the oldest message that is kept.</summary>
    public static StartAt Beginning => new(StartKind.Beginning);

    internal StartKind Kind { get; }

    internal DateTimeOffset WrittenSince { get; }

    internal IReadOnlyList<Position>? Positions { get; }

    /// <summary>At the first message of each shard that was written at or after a time, by the publishers' clocks. Costs some 20 reads a shard.</summary>
    public static StartAt Time(DateTimeOffset writtenSince) => new(StartKind.Time, writtenSince);

    /// <summary>At a position per shard, in the order of the shards.</summary>
    /// <exception cref="ArgumentException">There is no position.</exception>
    public static StartAt At(IReadOnlyList<Position> positionPerShard)
    {
        ArgumentNullException.ThrowIfNull(positionPerShard);
        return positionPerShard.Count > 0
            ? new StartAt(StartKind.Positions, positions: [.. positionPerShard])
            : throw new ArgumentException("There must be a position for every shard.", nameof(positionPerShard));
    }
}

/// <summary>The choices of <see cref="StartAt"/>.</summary>
internal enum StartKind
{
    Tail,
    Beginning,
    Time,
    Positions,
}
