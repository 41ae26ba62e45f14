using Pub.Topics;
using Pub.Topology;

namespace Pub.Scheduling;

/// <summary>The process's own topics and producer as targets of due messages.</summary>
internal sealed class ProducerTargets(Producer producer, TopicDirectory topics, TopicWatch watch, IQueueCreation queues) : IMoveTargets
{
    public ValueTask EnsureAsync(TopicName target) => target.Kind == TopicKind.Queue ? queues.EnsureAsync(target) : ValueTask.CompletedTask;

    public ValueTask<PublishResult> PublishAsync(ScheduledMessage due) => producer.PublishAsync(due.Target, due.Message, due.Options);

    public async ValueTask<TopicSnapshot?> FindAsync(TopicName target, bool onlyIfExists) =>
        onlyIfExists ? await topics.FindAsync(target) : await topics.GetOrCreateAsync(target);

    public ValueTask<TopicSnapshot?> RefreshAsync(TopicName target) => topics.RefreshAsync(target);

    public ValueTask AppendedAsync(ShardId shard, Offset offset, ReadOnlyMemory<byte> entry)
    {
        watch.Appended(shard, offset, entry);
        return watch.RingAsync(shard.Topic);
    }
}
