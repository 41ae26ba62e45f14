namespace Pub.Trimming;

/// <summary>What this process holds, at one moment, by subscription.</summary>
internal sealed class HeldHere(IReadOnlyList<HeldSubscription> held)
{
    private readonly Dictionary<(SubscriptionName, string), HeldSubscription> _held = held
        .GroupBy(subscription => (subscription.View.Name, subscription.View.Incarnation))
        .ToDictionary(same => same.Key, same => same.First());

    public static HeldHere Nothing { get; } = new([]);

    public bool Holds(TopicReaderView reader, int shard) => Find(reader, shard) is not null;

    /// <summary>The floor in memory of a shard whose lease is held here.</summary>
    public Position? FloorOf(TopicReaderView reader, ShardId shard) => Find(reader, shard.Number)?.Floor(shard);

    private HeldSubscription? Find(TopicReaderView reader, int shard) =>
        _held.TryGetValue((reader.Name, reader.Incarnation), out var subscription) && subscription.Leases.Contains(shard % reader.LeaseCount)
            ? subscription
            : null;
}
