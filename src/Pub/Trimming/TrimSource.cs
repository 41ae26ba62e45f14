namespace Pub.Trimming;

/// <summary>What the consumers and the producer of this process say. Remembers what was ever published to.</summary>
internal sealed class TrimSource(Func<IReadOnlyList<Consumer>> consumers, Producer producer) : ITrimSource
{
    private readonly HashSet<TopicName> _published = [];

    public IReadOnlyList<HeldSubscription> Held =>
        [.. consumers().Select(consumer =>
        {
            var floors = consumer.Runtime.Floors().ToDictionary(line => line.Shard, line => line.Floor);
            return new HeldSubscription(
                consumer.Runtime.View, consumer.Runtime.HeldLeases, [.. floors.Keys], shard => floors.TryGetValue(shard, out var floor) ? floor : null);
        })];

    // Asked by one loop. Its own logs Pub looks after itself.
    public IReadOnlyCollection<TopicName> Published
    {
        get
        {
            _published.UnionWith(producer.Topics.Where(topic => topic.Kind != TopicKind.Internal));
            return _published;
        }
    }
}
