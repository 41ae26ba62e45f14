using Pub.Topology;

namespace Pub.Trimming;

/// <summary>What this process holds and does, as far as it concerns trimming. Asked at every round; must not block.</summary>
internal interface ITrimSource
{
    /// <summary>The subscriptions of which this process holds leases.</summary>
    IReadOnlyList<HeldSubscription> Held { get; }

    /// <summary>The topics that this process has published to.</summary>
    IReadOnlyCollection<TopicName> Published { get; }
}

/// <summary>A subscription of which this process holds leases.</summary>
/// <param name="View">The subscription, as far as this process reads it.</param>
/// <param name="Leases">The leases held.</param>
/// <param name="Shards">The shards whose floors are known.</param>
/// <param name="Floor">
/// The floor in memory of a shard whose lease is held; null if it is not known. It counts only for a temporary subscription, whose cursor is written
/// seldom: of others only what is stored counts.
/// </param>
internal sealed record HeldSubscription(SubscriptionView View, IReadOnlyCollection<int> Leases, IReadOnlyList<ShardId> Shards, Func<ShardId, Position?> Floor);
