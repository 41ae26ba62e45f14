using Pub.Storage;
using Pub.Topics;

namespace Pub.Subscriptions;

/// <summary>
/// Finds entries above a tail that a failover took back, and raises the tail to them (executions.md 3). Probes a shard when its lease is taken and
/// whenever the epoch of its topic's document changes; never on a store whose epoch is constant.
/// </summary>
internal sealed class TailProbe(IDocumentStore store, TopicDirectory directory, PubRuntime runtime)
{
    /// <summary>So many empty slots in a row end the search: more than can lie between two entries, since each producer has one append under way.</summary>
    public const int Window = 64;

    private readonly SortedDictionary<string, (ShardId Shard, Epoch Epoch)> _due = new(StringComparer.Ordinal);
    private readonly Dictionary<ShardId, Epoch> _probed = [];

    public bool HasDue => _due.Count > 0;

    /// <summary>Whether the shard must be probed now, because its epoch was not seen before.</summary>
    public bool Observe(ShardId shard, Epoch epoch)
    {
        if (epoch == Epoch.Constant || (_probed.TryGetValue(shard, out var known) && known == epoch) || runtime.Breaks(BrokenRules.NoProbe))
        {
            return false;
        }

        _probed[shard] = epoch;
        _due[shard.ToString()] = (shard, epoch);
        return true;
    }

    /// <summary>The shards to probe; the caller probes each or puts it back.</summary>
    public IReadOnlyList<ShardId> TakeDue()
    {
        ShardId[] due = [.. _due.Values.Select(line => line.Shard)];
        _due.Clear();
        return due;
    }

    /// <summary>The probe failed: it is due again.</summary>
    public void PutBack(ShardId shard) => _due[shard.ToString()] = (shard, _probed.GetValueOrDefault(shard));

    /// <summary>Looks above the tail and raises it to the highest entry found. Answers the tail then, or none if the topic is gone or closed.</summary>
    public async Task<Offset> RaiseAsync(ShardId shard, CancellationToken cancellationToken)
    {
        if (await ReadTailAsync(shard, cancellationToken) is not { } before)
        {
            return Offset.None;
        }

        var highest = await FindHighestAsync(shard, before, cancellationToken);
        var tail = await ReadTailAsync(shard, cancellationToken);
        if (tail is not { } now || highest <= now)
        {
            return tail ?? Offset.None;
        }

        // By the difference, with an increment: two who probe at once raise it too far, which leaves holes, and never lower it.
        var key = DocumentKeys.Topic(shard.Topic, TopicSnapshot.PartOf(shard.Number));
        var raised = await store.IncrementAsync(key, TopicDocument.TailPath(shard.Number), highest.Value - now.Value, WriteOptions.Synced);
        return raised.IsApplied ? new Offset(raised.Value) : Offset.None;
    }

    private async Task<Offset> FindHighestAsync(ShardId shard, Offset tail, CancellationToken cancellationToken)
    {
        var prefix = DocumentKeys.EntryPrefix(shard);
        var highest = tail;
        for (var from = tail.Value + 1; ;)
        {
            var keys = new DocumentKey[Window];
            for (var i = 0; i < Window; i++)
            {
                keys[i] = DocumentKeys.Entry(prefix, new Offset(from + i));
            }

            var found = await store.GetManyAsync(keys, cancellationToken);
            var last = Array.FindLastIndex(found, document => document.Exists);
            if (last < 0)
            {
                return highest;
            }

            highest = new Offset(from + last);
            from += last + 1;
        }
    }

    /// <summary>Null if the topic is gone or closed: every entry would lie above "no tail".</summary>
    private async Task<Offset?> ReadTailAsync(ShardId shard, CancellationToken cancellationToken)
    {
        var topic = await directory.RefreshAsync(shard.Topic, cancellationToken);
        return topic is null || shard.Number >= topic.ShardCount || topic[shard.Number].IsClosed ? null : topic[shard.Number].Tail;
    }
}
