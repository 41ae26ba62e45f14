using Pub.Topics;
using Pub.Topology;

namespace Pub.Scheduling;

/// <summary>The process's topics as targets of due messages.</summary>
/// <param name="producer">A producer of the schedules alone, with <see cref="Options"/>: it gives up sooner than the application's.</param>
/// <param name="topics">The process's topics.</param>
/// <param name="watch">Tells readers.</param>
/// <param name="queues">Makes queues with their subscriptions.</param>
internal sealed class ProducerTargets(Producer producer, TopicDirectory topics, TopicWatch watch, IQueueCreation queues) : IMoveTargets
{
    public static ProducerOptions Options(ScheduleTimings timings) => new() { PublishTimeout = timings.MoveTimeout };

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
