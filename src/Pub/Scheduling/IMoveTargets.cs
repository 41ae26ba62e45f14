using Pub.Topics;

namespace Pub.Scheduling;

/// <summary>Where due messages go: what the mover needs of topics and of the Producer.</summary>
internal interface IMoveTargets
{
    /// <summary>Makes a queue with its subscription, so that what is published there is kept for its first reader. Cheap once it is known.</summary>
    ValueTask EnsureAsync(TopicName target);

    /// <summary>Publishes a message whose time has come; the order of calls is the order of messages with one key.</summary>
    ValueTask<PublishResult> PublishAsync(ScheduledMessage due);

    /// <summary>The target as this process knows it, made if need be and allowed; null if there is none.</summary>
    ValueTask<TopicSnapshot?> FindAsync(TopicName target, bool onlyIfExists);

    /// <summary>The target as stored now; null if there is none.</summary>
    ValueTask<TopicSnapshot?> RefreshAsync(TopicName target);

    /// <summary>An entry was put into the target without the Producer: readers are told. Never fails.</summary>
    ValueTask AppendedAsync(ShardId shard, Offset offset, ReadOnlyMemory<byte> entry);
}
