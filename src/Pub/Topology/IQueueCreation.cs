namespace Pub.Topology;

/// <summary>What a producer asks before its first send to a queue.</summary>
internal interface IQueueCreation
{
    /// <summary>
    /// Makes the queue's log and its subscription, which starts at the first entry, so that nothing sent is gone before the first reader comes
    /// (executions.md 24). Cheap once it is known in this process.
    /// </summary>
    ValueTask EnsureAsync(TopicName queue, CancellationToken cancellationToken = default);
}
