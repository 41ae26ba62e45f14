namespace Pub;

/// <summary>A subscription at one moment.</summary>
public sealed record SubscriptionDescription
{
    /// <summary>Its name.</summary>
    public required SubscriptionName Name { get; init; }

    /// <summary>Which creation of the name this is.</summary>
    public required string Incarnation { get; init; }

    /// <summary>The session that a temporary subscription lives with; null for a durable one.</summary>
    public string? TemporarySession { get; init; }

    /// <summary>What it reads, by topic and shard. The progress of a temporary subscription is in its process's memory; here it stands at its start.</summary>
    public required IReadOnlyList<SubscriptionShardDescription> Shards { get; init; }

    /// <summary>Its leases, by number.</summary>
    public required IReadOnlyList<LeaseDescription> Leases { get; init; }

    /// <summary>Entries at and above the floors, over all shards: what is not settled, and what was settled above a floor. An entry has 1 to 1,000 messages.</summary>
    public long LagEntries => Shards.Sum(shard => shard.LagEntries);

    /// <summary>Age of the oldest entry with something unsettled, by its publisher's clock; null if there is none.</summary>
    public TimeSpan? OldestUnsettledAge => Shards.Max(shard => shard.OldestUnsettledAge);
}

/// <summary>Where a subscription stands in one shard.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Floor">Everything below is settled.</param>
/// <param name="SettledRanges">Settled ranges above the floor.</param>
/// <param name="LagEntries">Entries from the floor's to the last one, counted in offsets: tombstones count too.</param>
/// <param name="OldestUnsettledAge">Age of the entry at the floor, by its publisher's clock; null if there is none.</param>
public sealed record SubscriptionShardDescription(ShardId Shard, Position Floor, int SettledRanges, long LagEntries, TimeSpan? OldestUnsettledAge);

/// <summary>One lease of a subscription.</summary>
/// <param name="Number">Its number: it covers this shard, and every 16th from there, of all topics.</param>
/// <param name="Session">The session that holds it; null if nobody does.</param>
/// <param name="Token">The number under which it is held; rises with every change of holder.</param>
public sealed record LeaseDescription(int Number, string? Session, long Token);
