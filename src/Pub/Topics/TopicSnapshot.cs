using Pub.Storage;

namespace Pub.Topics;

/// <summary>Offsets from <paramref name="From"/> up to, not including, <paramref name="To"/>.</summary>
internal readonly record struct OffsetRange(Offset From, Offset To)
{
    public bool Contains(Offset offset) => offset >= From && offset < To;
}

/// <summary>
/// What the readers of a shard that was added later wait for: until the shard that had its keys before is settled up to where the old map ended.
/// </summary>
/// <param name="Shard">The shard that had the keys.</param>
/// <param name="Until">Its floor must have reached this offset; <see cref="Offset.None"/> while it is not known yet: then it has not.</param>
internal readonly record struct ShardFence(int Shard, Offset Until)
{
    /// <summary>Adding the shards is under way, or was cut short.</summary>
    public bool IsPending => Until == Offset.None;

    public bool IsPassedBy(Position floor) => !IsPending && floor >= Position.StartOf(Until);
}

/// <summary>One shard as its topic's document had it.</summary>
/// <param name="Tail">The counter: the last offset handed out; in a closed life also counts the reservations that were refused.</param>
/// <param name="Head">Below it a slot counts for nothing.</param>
/// <param name="Removed">The next offset that a trimmer has to remove.</param>
/// <param name="Jumps">Offsets that were never handed out, ascending: readers pass them.</param>
internal readonly record struct ShardState(Offset Tail, Offset Head, Offset Removed, IReadOnlyList<OffsetRange> Jumps)
{
    /// <summary>What holds the shard back, if it was added later.</summary>
    public ShardFence? Fence { get; init; }

    /// <summary>Which life of the log appends go to (docs/decisions/0004-lives-in-the-tail.md).</summary>
    public long Life => Tail.Life;

    /// <summary>Whether the log takes no appends.</summary>
    public bool IsClosed => (Life & 1) != 0;

    /// <summary>
    /// The last offset at which there can be an entry. In a closed life the offsets above are refusals; some up to here may be refusals too, and
    /// are closed by tombstones like any hole.
    /// </summary>
    public Offset Last => IsClosed ? new Offset(Tail.Value - (1L << Offset.LifeBits)) : Tail;

    /// <summary>The offset itself, or where the jump that covers it ends.</summary>
    public Offset SkipJumps(Offset offset)
    {
        foreach (var jump in Jumps)
        {
            if (jump.Contains(offset))
            {
                offset = jump.To;
            }
        }

        return offset;
    }
}

/// <summary>
/// A topic as its documents had it at one moment. Never changes. With more than 16 shards the parts were read one by one; each part is
/// consistent in itself.
/// </summary>
internal sealed class TopicSnapshot
{
    private readonly ShardState[] _shards;
    private readonly Cas[] _cas;

    public TopicSnapshot(TopicName name, TopicSettings settings, bool isTemporary, long createdMilliseconds, ShardState[] shards, Cas[] cas, Epoch epoch = default)
    {
        Name = name;
        Settings = settings;
        IsTemporary = isTemporary;
        CreatedMilliseconds = createdMilliseconds;
        _shards = shards;
        _cas = cas;
        Epoch = epoch;
    }

    public TopicName Name { get; }

    /// <summary>What the topic was created with; <see cref="TopicSettings.Shards"/> is the number of shards now.</summary>
    public TopicSettings Settings { get; }

    public int ShardCount => _shards.Length;

    /// <summary>Belongs to a temporary endpoint: not listed, not durable, gone with its session.</summary>
    public bool IsTemporary { get; }

    /// <summary>Unix time of the creation by the creator's clock.</summary>
    public long CreatedMilliseconds { get; }

    /// <summary>The epoch of the documents' place, as far as it was asked for: by <see cref="TopicWatch"/>, not by <see cref="TopicDirectory"/>.</summary>
    public Epoch Epoch { get; }

    /// <summary>Documents that the topic has: one for each 16 shards.</summary>
    public int PartCount => _cas.Length;

    public ShardState this[int shard] => _shards[shard];

    /// <summary>The version of one part's document.</summary>
    public Cas CasOf(int part) => _cas[part];

    /// <summary>Whether one of the shards takes no appends.</summary>
    public bool IsClosed => Array.Exists(_shards, shard => shard.IsClosed);

    public static TopicSnapshot From(TopicName topic, IReadOnlyList<TopicDocument> parts, Cas[] cas, Epoch epoch)
    {
        // Part 0 counts for all: a part may be left over from a creator that lost the race.
        var first = parts[0];
        var shards = new ShardState[first.Shards];
        for (var i = 0; i < shards.Length; i++)
        {
            shards[i] = parts[PartOf(i)].State(i % DocumentKeys.ShardsPerDocument);
        }

        return new TopicSnapshot(topic, first.Settings.ToSettings(first.Shards), first.Temporary, first.Created, shards, cas, epoch);
    }

    public static int PartOf(int shard) => shard / DocumentKeys.ShardsPerDocument;
}
