using Pub.Topics;

namespace Pub.Publishing;

/// <summary>
/// One shard of a topic as one producer sees it. Written under the lock of <see cref="TopicPublisher"/>, except <see cref="LastConfirmed"/>, which
/// belongs to the runner that has the shard.
/// </summary>
internal sealed class ShardQueue
{
    public ShardQueue(ShardId shard, long life, Func<ShardQueue, Task> run)
    {
        Shard = shard;
        Life = life;
        Run = () => run(this);
    }

    public ShardId Shard { get; }

    /// <summary>The life that the producer takes the log to be in.</summary>
    public long Life { get; }

    /// <summary>What goes to this shard by key or by call, in the order of calls; cancelled ones included.</summary>
    public Queue<PendingPublish> Waiting { get; } = new();

    /// <summary>Whether a runner has the shard: it is the only one to append there.</summary>
    public bool IsBusy { get; set; }

    /// <summary>The producer's own last confirmed offset.</summary>
    public Offset LastConfirmed { get; set; }

    /// <summary>A runner's work; made once, so that starting one costs nothing.</summary>
    public Func<Task> Run { get; }
}
