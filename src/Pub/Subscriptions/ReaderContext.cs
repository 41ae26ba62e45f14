using Microsoft.Extensions.Logging;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>What all leases of one consumer share.</summary>
internal sealed class ReaderContext
{
    private long _arrivals;

    public required IDocumentStore Store { get; init; }

    public required PubRuntime Runtime { get; init; }

    public required PubTimings Timings { get; init; }

    public required TopicDirectory Directory { get; init; }

    public required EntryCache Cache { get; init; }

    /// <summary>What this process's producers are appending; null if nobody says.</summary>
    public PendingAppends? Pending { get; init; }

    public required ShardLog Log { get; init; }

    public required ISetAside SetAside { get; init; }

    public required SubscriptionName Subscription { get; init; }

    public required ConsumerOptions Options { get; init; }

    public required TopicName DeadLetterQueue { get; init; }

    public required DeliveryQueue Queue { get; init; }

    public required PrefetchBudget Budget { get; init; }

    public required ConsumerCounters Counters { get; init; }

    public required ILogger Logger { get; init; }

    public long NextArrival() => Interlocked.Increment(ref _arrivals);
}

/// <summary>Where messages go that are not settled where they lie.</summary>
internal interface ISetAside
{
    /// <summary>Writes the message to the subscription's own queue, to come back after a delay with its delivery count. Safe when it returns.</summary>
    ValueTask DelayAsync(SubscriptionName subscription, MessagePlace place, Message message, int deliveries, TimeSpan delay);

    /// <summary>Writes the message to a dead-letter queue with where it came from and why. Safe when it returns.</summary>
    ValueTask DeadLetterAsync(TopicName queue, SubscriptionName subscription, MessagePlace place, Message message, int deliveries, string reason, Exception? exception);

    /// <summary>Writes an entry that cannot be decoded to a dead-letter queue, bytes and all. Safe when it returns.</summary>
    ValueTask DeadLetterAsync(TopicName queue, SubscriptionName subscription, ShardId shard, Offset offset, Entry entry);
}
